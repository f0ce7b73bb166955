/// A value as a store keeps it.
///
/// Which of the two it is depends on the value's type alone.
@usableFromInline
enum StoredValue: Sendable {
    /// The bits of a value that is no larger than a word and refers to nothing.
    case word(UInt)
    case box(AnyBox)

    init<Value: Sendable>(_ value: Value) {
        self = Self.isWord(Value.self) ? .word(Self.word(of: value)) : .box(Box(value))
    }

    /// The value, of the type of the one key under which it is kept.
    func `as`<Value: Sendable>(_ type: Value.Type) -> Value {
        switch self {
        case .word(let word): Self.value(of: word)
        case .box(let box): box.value(as: type)
        }
    }

    /// Whether both are one value.
    func isSame(as other: StoredValue) -> Bool {
        switch (self, other) {
        case (.word(let mine), .word(let theirs)): mine == theirs
        case (.box(let mine), .box(let theirs)): mine === theirs
        case (.word, .box), (.box, .word): false
        }
    }
}

// MARK: - Words

extension StoredValue {
    /// Whether values of a type are kept as words.
    @inlinable
    static func isWord<Value>(_ type: Value.Type) -> Bool {
        _isPOD(type) && MemoryLayout<Value>.size <= MemoryLayout<UInt>.size
    }

    /// The bits of a value of a type for which ``isWord(_:)`` is true: there is nothing in it to be retained.
    private static func word<Value>(of value: Value) -> UInt {
        precondition(isWord(Value.self))
        var word: UInt = 0
        unsafe withUnsafeMutableBytes(of: &word) { unsafe $0.storeBytes(of: value, as: Value.self) }
        return word
    }

    /// The value that ``word(of:)`` was given.
    @inlinable
    static func value<Value>(of word: UInt) -> Value {
        unsafe withUnsafeBytes(of: word) { unsafe $0.load(as: Value.self) }
    }
}
