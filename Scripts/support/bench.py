"""The measuring of Scripts/bench, its tables and its JSON."""

import argparse
import json
import sys

import bench_gauges
import bench_growth
import bench_instructions
import bench_loads
import bench_query
import bench_requests
import bench_thresholds
import bench_times

SECTIONS = {
    "instructions": bench_instructions.measure,
    "memory": bench_gauges.measure_memory,
    "readers": bench_gauges.measure_readers,
    "growth": bench_growth.measure,
    "times": bench_times.measure,
    "requests": bench_requests.measure,
    "loads": bench_loads.measure,
    "query": bench_query.measure,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    for executable in ["costs", "gauges", "servers", "notes"]:
        parser.add_argument(f"--{executable}", help="the executable of that name")
    parser.add_argument("--postgres", metavar="URL", help="the server of the section query")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update-thresholds", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for section in dict.fromkeys(arguments.sections):
        rows += SECTIONS[section](arguments)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2, ensure_ascii=False)
            file.write("\n")
    if arguments.update_thresholds:
        bench_thresholds.write()
    if arguments.check:
        bench_thresholds.check()


sys.exit(main())
