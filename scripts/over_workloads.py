#!/usr/bin/env python3
"""Runs a campaign file over several workloads.

    python3 scripts/over_workloads.py BEAMLINE CAMPAIGN RESULTS WORKLOAD…

BEAMLINE is the program, RESULTS a folder for its results. Writes RESULTS/CAMPAIGN.csv, the figures of every workload,
region and scheme, and prints them as tables of Markdown. Needs nothing but Python.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def tensors(workload):
    """The types of a workload's stored tensors by name: a safetensors file begins with its header."""
    data = (ROOT / "kernels" / workload / "weights.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {name: info["dtype"].lower() for name, info in header.items() if name != "__metadata__"}


def run(beamline, campaign, workload, results, changes=()):
    """Runs a campaign file with another workload and other changes of its text; gives the folder of results."""
    text = (ROOT / campaign).read_text("utf-8")
    lines = text.split("\n")
    chosen = next(line for line in lines[lines.index("[workload]") :] if line.startswith("name = "))
    for old, new in [(chosen, f'name = "{workload}"'), *changes]:
        text = text.replace(old, new)
    folder = results / workload.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "campaign.toml"
    file.write_text(text, "utf-8")
    command = [beamline, "run", str(file), "--results", str(folder), "--no-tui", "--quiet"]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder / Path(campaign).stem


def report(beamline, folder, table="figures"):
    """The rows of a result."""
    command = [beamline, "report", str(folder), "--format", "csv", "--table", table]
    text = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return csv.DictReader(text.splitlines())


def write(path, columns, rows):
    """Writes rows of named columns as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def table(header, rows):
    """A table of Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *rows]) + "\n"


COLUMNS = [
    "workload", "scheme", "stratum", "trials", "wrong_trials", "wrong_share", "wrong_share_low", "wrong_share_high",
    "inferences", "masked", "corrected", "due_recovered", "tolerable_sdc", "critical_sdc", "due", "alarm_raised",
    "non_finite", "retries", "seconds_per_inference",
]


def figures(folder, workload):
    """The figures of a result, a row for each region and scheme."""
    rows = report(sys.argv[1], folder)
    return [{"workload": workload, **row} for row in rows if row["breakdown"] == "scheme"]


def percent(row):
    """A share of wrong answers and its interval."""
    share, low, high = (100 * float(row[f"wrong_share{end}"]) for end in ["", "_low", "_high"])
    return f"{share:.3g} ({low:.3g}–{high:.3g})"


def main():
    beamline, campaign, results, *workloads = sys.argv[1:]
    rows = []
    for workload in workloads:
        rows += figures(run(beamline, campaign, workload, Path(results).resolve()), workload)
    write(Path(results) / f"{Path(campaign).stem}.csv", COLUMNS, rows)
    schemes, regions = (list(dict.fromkeys(row[key] for row in rows)) for key in ["scheme", "stratum"])
    by = {(row["workload"], row["scheme"], row["stratum"]): row for row in rows}
    lines = []
    for workload in workloads:
        for scheme in schemes:
            found = [by[workload, scheme, region] for region in regions]
            base = float(by[workload, schemes[0], regions[0]]["seconds_per_inference"])
            time = float(found[0]["seconds_per_inference"])
            lines.append([f"`{workload}`", scheme, *map(percent, found), f"×{time / base:.2f}"])
    print(table(["workload", "scheme", *(f"wrong by an upset in {region}, %" for region in regions), "time"], lines))


if __name__ == "__main__":
    main()
