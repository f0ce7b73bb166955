import Testing

@testable import PerRequest

@Suite("Things under numbers that are never given twice (rule 7)")
struct SlabTests {
    private struct Item: SlabListed {
        var value: Int?
        var links = [SlabLinks(), SlabLinks()]

        subscript(row: SlabRow) -> SlabLinks {
            get { links[row == .owner ? 0 : 1] }
            set { links[row == .owner ? 0 : 1] = newValue }
        }

        mutating func clear() { value = nil }
    }

    @Test("Rule 7: at random, all are found as in a dictionary, and no more places are taken than there were at once")
    func slab() {
        var (slab, table) = (Slab<Item>(), SlabTable<Int>())
        #expect(slab.isUntouched)
        var expected: [Int: Int] = [:]
        var gone: Set<Int> = []
        var most: Int32 = 0
        for round in 0..<2_000 {
            if Int.random(in: 0..<20) < 10 + (round % 200 < 100 ? 1 : -1), let id = expected.keys.randomElement() {
                slab.remove(at: slab.place(of: id)!)
                #expect(table.remove(id) == expected.removeValue(forKey: id))
                gone.insert(id)
            } else {
                let (id, place) = slab.insert(Item(value: round))
                #expect(expected[id] == nil && !gone.contains(id))
                #expect(slab.id(at: place) == id)
                (table[id], expected[id]) = (round, round)
                most = max(most, place + 1)
            }
            #expect(slab.count == expected.count)
        }
        #expect(!slab.isUntouched)
        #expect(most < 500)
        for (id, value) in expected {
            #expect(slab.place(of: id).map { slab[$0].value } == value && table[id] == value)
        }
        for id in gone {
            // What is told of one that is gone is not told of who has its place.
            table[id] = nil
            if expected.keys.contains(where: { $0 % (1 << 24) == id % (1 << 24) }) { table[id] = -1 }
            #expect(slab.place(of: id) == nil && table[id] == nil && table.remove(id) == nil)
        }
        #expect(Set(slab.all.map { slab.id(at: $0) }) == Set(expected.keys))
        #expect(table.all.sorted() == expected.values.sorted())
        #expect(slab.place(of: -1) == nil && table[-1] == nil && table.remove(-1) == nil)
        #expect(slab.place(of: 1_000_000) == nil && table[1_000_000] == nil && table.remove(1_000_000) == nil)
    }

    @Test("at random, the rows are those of arrays")
    func rows() {
        var slab = Slab<Item>()
        let places = (0..<30).map { slab.insert(Item(value: $0)).place }
        var lists = [SlabList(), SlabList()]
        var arrays: [[Int32]] = [[], []]
        for _ in 0..<2_000 {
            let number = Int.random(in: 0..<2)
            let row: SlabRow = number == 0 ? .owner : .other
            let place = places.randomElement()!
            if let index = arrays[number].firstIndex(of: place) {
                slab.remove(place, from: &lists[number], row)
                arrays[number].remove(at: index)
            } else if Bool.random() {
                slab.append(place, to: &lists[number], row)
                arrays[number].append(place)
            } else {
                let index = Int.random(in: 0...arrays[number].count)
                slab.insert(place, after: index > 0 ? arrays[number][index - 1] : -1, in: &lists[number], row)
                arrays[number].insert(place, at: index)
            }
            #expect(Array(slab.places(in: lists[number], row)) == arrays[number])
            #expect(lists[number].isEmpty == arrays[number].isEmpty)
            #expect(lists[number].last == arrays[number].last ?? -1)
        }
    }
}
