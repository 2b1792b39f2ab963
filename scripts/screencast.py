#!/usr/bin/env python3
"""Records the screens of beamline in tmux and writes them as one SVG that moves.

    scripts/screencast.py results/suncatcher docs/screen.svg [path of the binary]

What is drawn is what the program drew: characters, colours and weights of a terminal of 100 by 30.
"""

import html
import re
import subprocess
import sys
import time

COLUMNS, ROWS = 100, 30
WIDTH, HEIGHT = 8.4, 17.0
FRAME_S = 0.5
# Keys, and the seconds before the next.
SCRIPT = [("", 4.0), ("2", 5.0), ("3", 4.0), (".", 1.0), (".", 1.0), ("4", 3.0), ("1", 2.0)]
BASE = ["#1d1f21", "#cc6666", "#7ec07e", "#f0c674", "#81a2be", "#b294bb", "#8abeb7", "#c5c8c6"]
BRIGHT = ["#666666", "#d54e53", "#b9ca4a", "#e7c547", "#7aa6da", "#c397d8", "#70c0b1", "#eaeaea"]


def colour(number):
    """The colour of a number of a palette of 256."""
    if number < 16:
        return (BASE + BRIGHT)[number]
    if number >= 232:
        level = 8 + 10 * (number - 232)
        return f"#{level:02x}{level:02x}{level:02x}"
    number -= 16
    parts = [number // 36, number // 6 % 6, number % 6]
    return "#" + "".join(f"{0 if part == 0 else 55 + 40 * part:02x}" for part in parts)


def spans(line):
    """The stretches of one look in a line with escape sequences: (text, colour, ground, bold, dim)."""
    look = {"fg": None, "bg": None, "bold": False, "dim": False, "reverse": False}
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                fg, bg = look["fg"], look["bg"]
                if look["reverse"]:
                    fg, bg = bg or BASE[0], fg or BASE[7]
                yield part, fg, bg, look["bold"], look["dim"]
            continue
        codes = [int(code or 0) for code in part[2:-1].split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                look.update(fg=None, bg=None, bold=False, dim=False, reverse=False)
            elif code in (1, 2, 7):
                look[{1: "bold", 2: "dim", 7: "reverse"}[code]] = True
            elif code == 22:
                look.update(bold=False, dim=False)
            elif code == 27:
                look["reverse"] = False
            elif code in (38, 48) and codes[:1] == [5]:
                look["fg" if code == 38 else "bg"] = colour(codes[1])
                codes = codes[2:]
            elif code in (38, 48) and codes[:1] == [2]:
                look["fg" if code == 38 else "bg"] = "#%02x%02x%02x" % tuple(codes[1:4])
                codes = codes[4:]
            elif code in (39, 49):
                look["fg" if code == 39 else "bg"] = None
            elif 30 <= code <= 37:
                look["fg"] = BASE[code - 30]
            elif 40 <= code <= 47:
                look["bg"] = BASE[code - 40]
            elif 90 <= code <= 97:
                look["fg"] = BRIGHT[code - 90]


def drawn(line, row):
    """A line of the screen as SVG."""
    at, parts = 0, []
    for text, fg, bg, bold, dim in spans(line):
        x, length = at * WIDTH, len(text) * WIDTH
        at += len(text)
        if bg:
            parts.append(f'<rect x="{x:.1f}" y="{row * HEIGHT:.0f}" width="{length:.1f}" height="{HEIGHT:.0f}" fill="{bg}"/>')
        if text.strip():
            look = f' fill="{fg}"' if fg else ""
            look += ' font-weight="bold"' if bold else ""
            look += ' opacity=".6"' if dim else ""
            parts.append(
                f'<text x="{x:.1f}" y="{row * HEIGHT + 13:.0f}" textLength="{length:.1f}"{look}>{html.escape(text)}</text>'
            )
    return "".join(parts)


def tmux(*arguments):
    return subprocess.run(["tmux", *arguments], check=True, capture_output=True, text=True).stdout


def record(result, binary):
    """The frames: lists of lines."""
    session = "beamline-screencast"
    subprocess.run(["tmux", "kill-session", "-t", session], capture_output=True)
    tmux("new-session", "-d", "-s", session, "-x", str(COLUMNS), "-y", str(ROWS), f"'{binary}' view '{result}'")
    frames = []
    try:
        time.sleep(2.0)
        for key, seconds in SCRIPT:
            if key:
                tmux("send-keys", "-t", session, key)
            end = time.time() + seconds
            while time.time() < end:
                time.sleep(FRAME_S)
                frames.append(tmux("capture-pane", "-t", session, "-e", "-p").rstrip("\n").split("\n"))
    finally:
        subprocess.run(["tmux", "send-keys", "-t", session, "q"], capture_output=True)
        subprocess.run(["tmux", "kill-session", "-t", session], capture_output=True)
    return frames


def picture(frames):
    """One SVG: a line that stays over several frames is drawn once."""
    total = len(frames) * FRAME_S
    styles, groups, names = [], [], {}
    for row in range(ROWS):
        start = 0
        while start < len(frames):
            line = frames[start][row] if row < len(frames[start]) else ""
            end = start + 1
            while end < len(frames) and (frames[end][row] if row < len(frames[end]) else "") == line:
                end += 1
            shown = drawn(line, row)
            if shown and (start, end) == (0, len(frames)):
                groups.append(f"<g>{shown}</g>")
            elif shown:
                name = names.setdefault((start, end), f"f{len(names)}")
                groups.append(f'<g class="{name}">{shown}</g>')
            start = end
    for (start, end), name in names.items():
        a, b = 100 * start / len(frames), 100 * end / len(frames)
        before = f"0%{{visibility:hidden}}" if start else ""
        after = f"{b:.3f}%,100%{{visibility:hidden}}" if end < len(frames) else "100%{visibility:visible}"
        styles.append(f"@keyframes {name}{{{before}{a:.3f}%{{visibility:visible}}{after}}}.{name}{{animation:{name} {total}s step-end infinite}}")
    width, height = COLUMNS * WIDTH + 20, ROWS * HEIGHT + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="The screens of beamline: schemes, orbit, memory and events of a mission" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="13.5">'
        f"<style>text{{white-space:pre}}{''.join(styles)}</style>"
        f'<rect width="100%" height="100%" rx="6" fill="{BASE[0]}"/><g transform="translate(10 10)" fill="{BASE[7]}">'
        + "".join(groups)
        + "</g></svg>\n"
    )


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    result, path = sys.argv[1:3]
    binary = sys.argv[3] if len(sys.argv) > 3 else "target/release/beamline"
    frames = record(result, binary)
    with open(path, "w", encoding="utf-8") as out:
        out.write(picture(frames))


main()
