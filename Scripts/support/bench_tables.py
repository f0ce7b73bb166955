"""What the sections of Scripts/bench share: rows of the JSON, and tables."""


def row(name, ours, baseline, unit, goal=None, higher_is_better=False, digits=0, more=None):
    """One row of the JSON. The ratio is baseline over ours where more is better.

    The goal is the largest ratio; or `more` is the largest difference.
    """
    worse, better = (baseline, ours) if higher_is_better else (ours, baseline)
    row = {
        "name": name,
        "ours": round(ours, digits) if digits else round(ours),
        "baseline": round(baseline, digits) if digits else round(baseline),
        "ratio": round(worse / better, 3) if better else None,
        "unit": unit,
    }
    if goal is not None:
        row["goal"] = goal
    if more is not None:
        row["more"] = more
    return row


def shown_ratio(row):
    return "" if row["ratio"] is None else f"{row['ratio']:.2f}"


def shown_goal(row):
    if "more" in row:
        return f"≤ +{row['more']}"
    return f"≤ {row['goal']:.3g}" if "goal" in row else ""


def table(title, head, lines):
    """Prints a table in Markdown."""
    print(f"\n{title}\n")
    print(f"| {' | '.join(head)} |")
    print("|" + "---|" * len(head))
    for line in lines:
        print(f"| {' | '.join(str(cell) for cell in line)} |", flush=True)


def plain_table(title, rows):
    """Prints rows of the JSON as they are."""
    head = ["what", "ours", "baseline", "unit", "ratio", "goal"]
    lines = [
        [row["name"], f"{row['ours']:,}", f"{row['baseline']:,}", row["unit"], shown_ratio(row), shown_goal(row)]
        for row in rows
    ]
    table(title, head, lines)
