#!/usr/bin/env python3
"""Runs campaigns/digits-types.toml over the digit readers in all number types.

    python3 scripts/types_campaign.py BEAMLINE RESULTS      # the program, and a folder for its results

Of digits-mlp every bit of every stored tensor is struck once, of digits-cnn 20,000 that are drawn. Writes
RESULTS/digits-types.csv, the trials with a wrong answer by network, type of the struck element and bit, and prints
the tables of docs/benchmarks.md. Needs nothing but Python.
"""

import sys
from collections import Counter
from pathlib import Path

from over_workloads import report, run, table, tensors, write

TYPES = ["", "-f16", "-bf16", "-i8"]
NETWORKS = [f"{network}{of}" for network in ["digits-mlp", "digits-cnn"] for of in TYPES]
DRAWN = [('mode = "exhaustive"', 'mode = "conditional"\ncount = 1'), ('"non-finite"', '"non-finite"\n\n[stop]\ntrials = 20000')]
ROLES = {"weight": "weights", "bias": "biases"}


def role(tensor):
    """What a tensor is: weights, biases, or what scales them."""
    return ROLES.get(tensor.split(".")[-1], "scales and zero points")


def main():
    beamline, results = sys.argv[1], Path(sys.argv[2]).resolve()
    rows, by_role = [], {}
    for network in NETWORKS:
        changes = DRAWN if "cnn" in network else []
        types = tensors(network)
        folder = run(beamline, "campaigns/digits-types.toml", network, results, changes)
        trials, wrong = Counter(), Counter()
        for fault in report(beamline, folder, "events"):
            for key in [(types[fault["tensor"]], int(fault["bit"])), role(fault["tensor"])]:
                trials[key] += 1
                wrong[key] += int(fault["wrong"]) > 0
        by_role[network] = trials, wrong
        for key in sorted(key for key in trials if isinstance(key, tuple)):
            dtype, bit = key
            row = {"network": network, "type": dtype, "bit": bit}
            rows.append(row | {"trials": trials[key], "wrong_trials": wrong[key]})
    write(results / "digits-types.csv", ["network", "type", "bit", "trials", "wrong_trials"], rows)
    roles = ["weights", "biases", "scales and zero points"]
    lines = []
    for network, (trials, wrong) in by_role.items():
        bits, all_wrong = (sum(count[of] for of in roles) for count in (trials, wrong))

        def share(of):
            """Trials with a wrong answer, in percent, and how many of all those there are."""
            if not trials[of]:
                return "–"
            return f"{100 * wrong[of] / trials[of]:.3g} % ({wrong[of]} of {trials[of]})"

        lines.append([f"`{network}`", f"{bits}", f"{100 * all_wrong / bits:.3g} %", *map(share, roles)])
    print(table(["network", "faults", "wrong", *roles], lines))


if __name__ == "__main__":
    main()
