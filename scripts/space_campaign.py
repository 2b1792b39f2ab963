#!/usr/bin/env python3
"""Runs campaigns/space-kernels.toml over all kernels of kernels/gpu4s and kernels/obpmark.

    python3 scripts/space_campaign.py BEAMLINE RESULTS      # the program, and a folder for its results

Writes RESULTS/space-kernels.csv, the figures of every kernel, region and scheme, and prints the tables of
docs/benchmarks.md. Needs nothing but Python.
"""

import re
import sys
from pathlib import Path

from over_workloads import COLUMNS, ROOT, figures, percent, run, table, tensors, write

REGIONS = ["input", "activations", "weights"]
SCHEMES = ["none", "SEC-DED", "TMR storage", "DMR", "TMR outputs"]


def main():
    beamline, results = sys.argv[1], Path(sys.argv[2]).resolve()
    folders = sorted((ROOT / "kernels").glob("gpu4s/*")) + sorted((ROOT / "kernels").glob("obpmark/*"))
    kernels = [f"{folder.parent.name}/{folder.name}" for folder in folders]
    rows = []
    for kernel in kernels:
        changes = [] if tensors(kernel) else [(', "weights"', "")]
        folder = run(beamline, "campaigns/space-kernels.toml", kernel, results, changes)
        rows += figures(folder, kernel)
    write(results / "space-kernels.csv", COLUMNS, rows)
    by = {(row["workload"], row["scheme"], row["stratum"]): row for row in rows}

    def plain(kernel, region):
        row = by.get((kernel, "none", region))
        return percent(row) if row else "–"

    shares = [[f"`{kernel}`", *(plain(kernel, region) for region in REGIONS)] for kernel in kernels]
    print(table(["kernel", *REGIONS], shares))

    def left(kernel, scheme):
        found = [by.get((kernel, scheme, region)) for region in REGIONS]
        wrong = [f"{100 * float(row['wrong_share']):.1f}" if row else "–" for row in found]
        return " / ".join(re.sub(r"\.0$", "", share) for share in wrong)

    def time(kernel, scheme):
        return float(by[kernel, scheme, "activations"]["seconds_per_inference"])

    costs = []
    for kernel in kernels:
        base = time(kernel, "none")
        of = [f"{left(kernel, s)}; ×{time(kernel, s) / base:.2f}" for s in SCHEMES[1:]]
        costs.append([f"`{kernel}`", f"{1e6 * base:.0f} µs", *of])
    print(table(["kernel", "time", *SCHEMES[1:]], costs))


if __name__ == "__main__":
    main()
