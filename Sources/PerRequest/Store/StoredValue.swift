/// A value as a store keeps it.
///
/// Under a typed key it depends on the value's type alone; what has a name, and what is a resource, is always in a box.
@usableFromInline
enum StoredValue: Sendable {
    /// The bits of a value that is no larger than a word and refers to nothing.
    case word(UInt)
    case box(AnyBox)

    init<Value: Sendable>(_ value: Value) {
        self = Word.fits(Value.self) ? .word(Word.of(value)) : .box(Box(value))
    }

    /// The value, of the type of the one key under which it is kept.
    func `as`<Value: Sendable>(_ type: Value.Type) -> Value {
        switch self {
        case .word(let word): Word.value(of: word, as: type)
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
