#!/usr/bin/env python3
"""Runs faults of a list in transformers, one after another, for a rate to compare beamline's with.

    scripts/transformers_faults.py FOLDER PROMPTS.npy LIST.csv [TRIALS]

FOLDER is a Hugging Face folder in float32, LIST.csv has the columns tensor, index and bit. Needs torch and transformers. Each trial flips
the bit, answers all prompts greedily with four tokens over a key-value cache, and flips it back.
"""

import csv
import sys
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM

NEW_TOKENS = 4


def answers(model, prompts):
    ids, past = prompts, None
    tokens = []
    for _ in range(NEW_TOKENS):
        out = model(ids, past_key_values=past, use_cache=True)
        past = out.past_key_values
        ids = out.logits[:, -1].argmax(-1, keepdim=True)
        tokens.append(ids)
    return torch.cat(tokens, 1)


def main():
    folder, prompts, faults = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 200
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    prompts = torch.from_numpy(np.load(prompts))
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        golden = answers(model, prompts)
        rows = list(csv.DictReader(open(faults)))[:count]
        start = time.perf_counter()
        wrong = 0
        for row in rows:
            words = parameters[row["tensor"]].data.view(-1).view(torch.int32)
            mask = 1 << int(row["bit"])
            mask = mask - (1 << 32) if mask >> 31 else mask
            words[int(row["index"])] ^= mask
            wrong += bool((answers(model, prompts) != golden).any())
            words[int(row["index"])] ^= mask
        seconds = time.perf_counter() - start
    rate = len(rows) / seconds
    print(f"{len(rows)} trials of {len(prompts)} prompts, {wrong} wrong: {rate:.1f} trials/s, {torch.get_num_threads()} threads")


main()
