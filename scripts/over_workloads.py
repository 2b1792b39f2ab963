"""A campaign file run over several workloads: what scripts/space_campaign.py and scripts/types_campaign.py share."""

import csv
import json
import subprocess
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
