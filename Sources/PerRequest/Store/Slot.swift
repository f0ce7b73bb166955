public import Synchronization

/// A pointer to the memory in which one open store keeps its values, and by which a task finds it.
///
/// A slot is never freed, only used again, so that a task can carry the plain pointer: reading a value counts no
/// references. Why no store is ever read for another:
///
/// - ``SlotMemory/owner`` is the number of the store that has the slot, and no number is given twice. Whoever comes by a
///   pointer knows the number too, and looks at nothing that is not that store's: a task that outlives its request finds
///   the number changed (rules 5 to 7).
/// - A value that is an object is read and written under the lock, the retain included. It has to be a lock that the
///   optimizer moves no retain out of.
/// - A value of one word is read without the lock: the owner first, the tag, the word, and the owner again. The place of
///   such a value is not given to another key while the store is open, and a slot loses its owner before anything in it
///   changes hands; so that if the owner is the same both times, the word was that store's and that key's in between.
@usableFromInline
struct Slot: Sendable {
    @usableFromInline let immortal: Immortal<SlotMemory>

    /// Makes a slot, for as long as the process lives.
    init() { immortal = Immortal(SlotMemory()) }

    /// A slot that no store ever has.
    static let none = Slot()

    @inlinable var memory: SlotMemory {
        _read { yield immortal.content }
    }
}

/// The memory of one open store; see ``Slot``.
@usableFromInline
struct SlotMemory: ~Copyable, Sendable {
    /// The number of the store that has the slot; 0 for none.
    @usableFromInline let owner = Atomic<Int>(0)
    /// The tags of the keys at their home places; 0 for none.
    @usableFromInline let tags = InlineArray<8, Atomic<Int32>> { _ in Atomic(0) }
    /// What is set under them: a word, or a retained box.
    @usableFromInline let words = InlineArray<8, Atomic<UInt>> { _ in Atomic(0) }
    /// Guards all else, and the words that are boxes.
    @usableFromInline let contents = Lock(Contents())

    @usableFromInline
    struct Contents: Sendable {
        /// The store, while it is open.
        var core: StoreCore?
        /// Which home places are taken, and which of them hold boxes.
        var taken: UInt8 = 0
        var boxes: UInt8 = 0
        /// The values of keys that found their home place taken, and those under names.
        var others = ValueTable()
    }

    /// The place where the value under a tag is, if that is free when it is first set.
    @inlinable
    static func home(of tag: Int32) -> Int { Int(tag >> 1) & 7 }
}

// MARK: - Reading

extension SlotMemory {
    /// The word under a tag in the store of that number, if it is at its home place.
    @inlinable
    func word(_ tag: Int32, of store: Int) -> UInt? {
        let home = Self.home(of: tag)
        guard owner.load(ordering: .acquiring) == store,
            tags[home].load(ordering: .acquiring) == tag
        else { return nil }
        let word = words[home].load(ordering: .relaxed)
        atomicMemoryFence(ordering: .acquiring)
        guard owner.load(ordering: .relaxed) == store else { return nil }
        return word
    }

    /// The value in the box under a tag in the store of that number, if it is at its home place.
    @inlinable
    func value<Value: Sendable>(_ tag: Int32, of store: Int, as type: Value.Type) -> Value? {
        let home = Self.home(of: tag)
        return contents.withLock { _ -> Value? in
            guard owner.load(ordering: .relaxed) == store, tags[home].load(ordering: .relaxed) == tag
            else { return nil }
            let word = words[home].load(ordering: .relaxed)
            return BoxWord.value(word, as: type)
        }
    }

    /// What is set under a tag, wherever it is: in the store of that number or, if wanted, in its parents.
    @usableFromInline
    func elsewhere(_ tag: Int32, of store: Int, throughParents: Bool) -> StoredValue? {
        var parent: StoreAddress?
        if let found = stored(tag, of: store, &parent) { return found }
        guard throughParents else { return nil }
        while let address = parent {
            if let found = address.slot.memory.stored(tag, of: address.number, &parent) { return found }
        }
        return nil
    }

    /// What is set under a tag in the store of that number, or where its parent is.
    private func stored(_ tag: Int32, of store: Int, _ parent: inout StoreAddress?) -> StoredValue? {
        let found: (value: StoredValue?, parent: StoreAddress?) = contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return (nil, nil) }
            if let value = find(.key(tag), in: contents) { return (value, nil) }
            return (nil, contents.core?.parent)
        }
        parent = found.parent
        return found.value
    }

    /// What is set under a key in the store of that number, wherever it is; the store has to have the slot.
    ///
    /// Called under the lock.
    private func find(_ key: ValueKey, in contents: borrowing Contents) -> StoredValue? {
        guard case .key(let tag) = key else { return contents.others[key] }
        let home = Self.home(of: tag)
        guard tags[home].load(ordering: .relaxed) == tag else { return contents.others[key] }
        return stored(at: home, in: contents)
    }

    private func stored(at home: Int, in contents: borrowing Contents) -> StoredValue {
        let word = words[home].load(ordering: .relaxed)
        guard contents.boxes & (1 << home) != 0 else { return .word(word) }
        return .box(BoxWord.box(word))
    }
}

// MARK: - The open store

/// What a slot knows of a key in one of its stores.
enum SlotRead: Sendable {
    case found(StoredValue)
    case unset
    /// The store no longer has the slot.
    case ended
}

extension SlotMemory {
    /// The store of that number, while it is open.
    func core(of store: Int) -> StoreCore? {
        contents.withLock { owner.load(ordering: .relaxed) == store ? $0.core : nil }
    }

    /// Reads what is set under a key.
    func read(_ key: ValueKey, of store: Int) -> SlotRead {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return .ended }
            return find(key, in: contents).map(SlotRead.found) ?? .unset
        }
    }

    /// Writes a value, if `isExpected` says so of the present one, and returns that.
    ///
    /// What was replaced leaves after the lock.
    func write(
        _ value: StoredValue?,
        for key: ValueKey,
        of store: Int,
        if isExpected: (StoredValue?) -> Bool = { _ in true }
    ) -> SlotWrite {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return .ended }
            let present = find(key, in: contents)
            guard isExpected(present) else { return .unexpected(present) }
            put(value, for: key, &contents)
            return .written(replaced: present)
        }
    }

    /// Adds the tags of all that is set in the store, resources too.
    func addTags(of store: Int, limit: Int, to tags: inout [Int32]) {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return }
            var (taken, rest) = (contents.taken, limit)
            while taken != 0, rest > 0 {
                tags.append(self.tags[taken.trailingZeroBitCount].load(ordering: .relaxed))
                taken &= taken - 1
                rest -= 1
            }
            if !contents.others.tagged.isEmpty { tags += contents.others.tagged.prefix(rest).map(\.tag) }
        }
    }

    /// All values of the store, for the work after the response.
    func values(of store: Int) -> ValueTable {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return ValueTable() }
            return table(contents)
        }
    }

    private func table(_ contents: borrowing Contents) -> ValueTable {
        var table = contents.others
        for home in 0..<8 where contents.taken & (1 << home) != 0 {
            table[.key(tags[home].load(ordering: .relaxed))] = stored(at: home, in: contents)
        }
        return table
    }

    private func put(_ value: StoredValue?, for key: ValueKey, _ contents: inout Contents) {
        guard case .key(let tag) = key, let value else { return contents.others[key] = value }
        let home = Self.home(of: tag)
        let bit: UInt8 = 1 << home
        let holder = tags[home].load(ordering: .relaxed)
        guard holder == 0 || holder == tag else { return contents.others[key] = value }
        if holder == 0, !contents.others.isEmpty { contents.others[key] = nil }
        let previous = words[home].load(ordering: .relaxed)
        switch value {
        case .word(let word):
            words[home].store(word, ordering: .releasing)
        case .box(let box):
            words[home].store(BoxWord.retain(box), ordering: .releasing)
            // `present` still refers to the box that is let go here: this is not its end.
            if contents.boxes & bit != 0 { BoxWord.release(previous) }
            contents.boxes |= bit
        }
        contents.taken |= bit
        tags[home].store(tag, ordering: .releasing)
    }
}

// MARK: - Resources

extension SlotMemory {
    /// Lets a resource be read like a value.
    func publish(_ box: AnyBox, _ tag: Int32, of store: Int) {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return }
            put(.box(box), for: .key(tag), &contents)
        }
    }

    /// Takes a resource away that was published; its store still refers to it.
    func withdraw(_ tag: Int32, of store: Int) {
        let home = Self.home(of: tag)
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return }
            if tags[home].load(ordering: .relaxed) == tag { return clear(home, &contents) }
            contents.others[.key(tag)] = nil
        }
    }
}

/// What became of a value that was to be written.
enum SlotWrite: Sendable {
    case written(replaced: StoredValue?)
    case unexpected(StoredValue?)
    case ended
}

// MARK: - Opening and closing

extension SlotMemory {
    /// Lets a store have the slot, which nobody has.
    ///
    /// A store that nobody owns lives for as long as somebody refers to it: the slot does not.
    func open(for core: StoreCore, isOwned: Bool, _ values: ValueTable?) {
        contents.withLock { contents in
            contents.core = isOwned ? core : nil
            if let values {
                for entry in values.tagged { put(entry.value, for: .key(entry.tag), &contents) }
                contents.others.copyNames(of: values)
            }
            owner.store(core.identity, ordering: .releasing)
        }
    }

    /// Takes the slot from the store of that number, which has ended.
    ///
    /// - Parameters:
    ///   - carries: Whether the values are needed further, for the work after the response.
    ///   - left: Gets the values, and whatever else has to be let go without a lock.
    /// - Returns: Whether the store had the slot.
    func close(_ store: Int, carries: Bool, _ left: inout Leftovers) -> Bool {
        contents.withLock { contents in
            guard owner.load(ordering: .relaxed) == store else { return false }
            owner.store(0, ordering: .relaxed)
            atomicMemoryFence(ordering: .releasing)
            left.core = contents.core.take()
            // Words need not be let go.
            if carries || contents.boxes != 0 || !contents.others.isEmpty { left.values = table(contents) }
            for home in 0..<8 where contents.taken & (1 << home) != 0 { clear(home, &contents) }
            if !contents.others.isEmpty { contents.others = ValueTable() }
            return true
        }
    }

    struct Leftovers: Sendable {
        var values: ValueTable?
        var core: StoreCore?
    }

    /// Frees a home place; somebody else still refers to its box, so that this is not its end.
    private func clear(_ home: Int, _ contents: inout Contents) {
        let bit: UInt8 = 1 << home
        tags[home].store(0, ordering: .releasing)
        let word = words[home].exchange(0, ordering: .releasing)
        if contents.boxes & bit != 0 { BoxWord.release(word) }
        contents.taken &= ~bit
        contents.boxes &= ~bit
    }
}
