/// The name of an enum's case, under which Troubleshooting has it.
func caseName(of value: some Any) -> String { Mirror(reflecting: value).children.first?.label ?? "\(value)" }
