#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// All of the core that the compiler cannot check for memory safety, but for the lock of a build under ThreadSanitizer and the
// writing to standard error in `RequestReport`; values that are not `Sendable` are in `Box`. What each of it relies on is
// said where it is; `ReuseTests` puts it under stress, in a release build and under ThreadSanitizer too.

/// Something that is made once and lives as long as the process, so that a plain pointer to it is always good.
@safe @usableFromInline
struct Immortal<Content: ~Copyable & Sendable>: @unchecked Sendable {
    @usableFromInline let pointer: UnsafeMutablePointer<Content>

    init(_ content: consuming Content) {
        // Nobody deallocates it, and nobody writes to it as a whole.
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: content)
    }

    @inlinable var content: Content {
        _read { yield unsafe pointer.pointee }
    }
}

// MARK: - Values in words

/// Values that are kept as the bits of a word.
@usableFromInline
enum Word {
    /// Whether values of a type fit into a word and refer to nothing, so that there is nothing to retain.
    @inlinable
    static func fits<Value>(_ type: Value.Type) -> Bool {
        _isPOD(type) && MemoryLayout<Value>.size <= MemoryLayout<UInt>.size
    }

    /// The bits of a value of a type that fits.
    static func of<Value>(_ value: Value) -> UInt {
        precondition(fits(Value.self))
        var word: UInt = 0
        // The value is no larger than the word, and copying its bits copies it.
        unsafe withUnsafeMutableBytes(of: &word) { unsafe $0.storeBytes(of: value, as: Value.self) }
        return word
    }

    /// The value whose bits ``of(_:)`` gave: a key has one type, and no other key has its tag.
    @inlinable
    static func value<Value>(of word: UInt, as type: Value.Type) -> Value {
        unsafe withUnsafeBytes(of: word) { unsafe $0.load(as: type) }
    }
}

// MARK: - Boxes in words

/// Words that count as references to boxes.
///
/// Such a word is made once by ``retain(_:)``, read any number of times, and ended by ``release(_:)``: all of it under the
/// lock that guards the word.
@usableFromInline
enum BoxWord {
    static func retain(_ box: AnyBox) -> UInt { UInt(bitPattern: unsafe Unmanaged.passRetained(box).toOpaque()) }

    static func release(_ word: UInt) { unsafe reference(word).release() }

    static func box(_ word: UInt) -> AnyBox { unsafe reference(word).takeUnretainedValue() }

    /// The value in the box; the box itself is not retained, because the word does that.
    @inlinable
    static func value<Value: Sendable>(_ word: UInt, as type: Value.Type) -> Value {
        unsafe reference(word)._withUnsafeGuaranteedRef { $0.valueOnHotPath(as: type) }
    }

    @inlinable
    static func reference(_ word: UInt) -> Unmanaged<AnyBox> {
        // It is not zero: it was made of an object.
        unsafe Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped)
    }
}

extension AnyBox {
    /// The value, without asking the box for its type.
    ///
    /// A key has one type, and no other key has its tag: the box that is found under it is of that type.
    @inlinable
    func valueOnHotPath<Value: Sendable>(as type: Value.Type) -> Value {
        unsafe unsafeDowncast(self, to: Box<Value>.self).content
    }
}

extension MemoHits.Hit {
    /// Whether it is that of these arguments; a memo has one type, and no other memo has its tag.
    @inlinable
    func has<each Argument: Hashable & Sendable>(_ argument: repeat each Argument) -> Bool {
        unsafe unsafeDowncast(arguments, to: MemoArgumentsOf<repeat each Argument>.self).isEqual(
            to: repeat each argument
        )
    }
}

extension StoredValue {
    /// The value, of the type of the one key under which it is kept.
    @inlinable
    func valueOnHotPath<Value: Sendable>(as type: Value.Type) -> Value {
        switch self {
        case .word(let word): Word.value(of: word, as: type)
        case .box(let box): box.valueOnHotPath(as: type)
        }
    }
}

// MARK: - Stores

extension RequestStore {
    /// The core of a store that was opened as a root: asking it for its request would cost more than what is done with it.
    var openedRoot: RequestCore {
        // Only roots are opened by `opened`, and kept by the pool.
        unsafe unsafeDowncast(core, to: RequestCore.self)
    }
}

// MARK: - Threads

/// What tells the present thread from all others that run.
func currentThread() -> UInt {
    #if canImport(Glibc)
    pthread_self()
    #else
    // The address says which thread it is; nothing is read there.
    unsafe UInt(bitPattern: pthread_self())
    #endif
}

/// Where the thread's stack is.
func stackAddress() -> UInt {
    var local: UInt8 = 0
    // The address is looked at, and nothing is read there.
    return unsafe withUnsafePointer(to: &local) { UInt(bitPattern: $0) }
}

// MARK: - Clocks

/// What the continuous clock shows, in nanoseconds.
func continuousNanoseconds() -> Int64 {
    #if os(Linux) || os(Android)
    var time = timespec()
    // It writes to `time` and nowhere else.
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    #else
    // The clock that `ContinuousClock` reads on Apple's platforms.
    return Int64(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW))
    #endif
}
