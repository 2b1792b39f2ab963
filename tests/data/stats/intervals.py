# Makes intervals.csv: the ends of every interval of `src/stats`, by mpmath 1.3 with 30 digits.
import mpmath as mp

mp.mp.dps = 30
ALPHAS = ["0.2", "0.05", "0.005", "1e-4", "1e-6", "1e-9", "1e-12", "1e-13"]

def tail(density, mode, spread, x, upper):
    """A tail: the integral of a density from x away from its mode, in steps of its spread, or the rest."""
    step = spread if x > mode else -spread
    points, at = [x], x
    for _ in range(16):
        at += step
        if at <= 0: points.append(mp.mpf(0)); break
        points.append(at)
    found = abs(mp.quad(density, points))
    return found if upper == (x > mode) else 1 - found

def beta_tail(a, b, x, upper):
    if min(a, b) > 5000:
        ln = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
        density = lambda t: mp.exp(ln + (a - 1) * mp.log(t) + (b - 1) * mp.log1p(-t))
        return tail(density, a / (a + b), mp.sqrt(a * b / (a + b) ** 3), x, upper)
    # From the end of the axis that is near: the series converges there, and the other tail is the rest.
    if x > 0.5: a, b, x, upper = b, a, 1 - x, not upper
    with mp.workdps(90):
        below = mp.betainc(a, b, 0, x, regularized=True)
        return 1 - below if upper else below

def gamma_tail(a, x, upper):
    if a > 5000:
        density = lambda t: mp.exp((a - 1) * mp.log(t) - t - mp.loggamma(a))
        return tail(density, a, mp.sqrt(a), x, upper)
    if upper: return mp.gammainc(a, x, mp.inf, regularized=True)
    return mp.gammainc(a, 0, x, regularized=True)

def quantile(f, p, start, rising, most=mp.inf):
    """The x where f(x) = p: bracketed in ln x, then by Illinois' method on ln f."""
    g = lambda u: mp.log(f(mp.exp(u))) - mp.log(p)
    at, step = mp.log(start), mp.mpf("0.001")
    sign = mp.sign(g(at))
    towards = -sign if rising else sign
    while True:
        far = min(at + towards * step, mp.log(most) - mp.mpf(10) ** -28)
        if mp.sign(g(far)) != sign: break
        at, step = far, 2 * step
    return mp.exp(mp.findroot(g, (at, far), solver="illinois", tol=mp.mpf(10) ** -28, maxsteps=500, verify=False))

def z_of(alpha): return mp.sqrt(2) * mp.erfinv(1 - alpha)

def wilson(k, n, alpha):
    z, p = z_of(alpha), k / n
    half = z * mp.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ends = [(p + z * z / (2 * n) + s * half) / (1 + z * z / n) for s in (-1, 1)]
    return (mp.mpf(0) if k == 0 else ends[0], mp.mpf(1) if k == n else ends[1])

def clopper_pearson(k, n, alpha):
    start = wilson(k, n, alpha)
    high = 1 if k == n else quantile(lambda x: beta_tail(k + 1, n - k, x, True), alpha / 2, start[1], False, 1)
    if 2 * k == n: return 1 - high, high
    low = 0 if k == 0 else quantile(lambda x: beta_tail(k, n - k + 1, x, False), alpha / 2, start[0], True, 1)
    return low, high

def gamma_ends(a_low, a_high, alpha):
    z = z_of(alpha)
    near = lambda a, s: max(a * (1 - 1 / (9 * a) + s * z / (3 * mp.sqrt(a))) ** 3, mp.mpf("1e-14")) if a > 20 else a
    low = 0 if a_low == 0 else quantile(lambda x: gamma_tail(a_low, x, False), alpha / 2, near(a_low, -1), True)
    return low, quantile(lambda x: gamma_tail(a_high, x, True), alpha / 2, near(a_high, 1), False)

def garwood(k, alpha): return gamma_ends(k, k + 1, alpha)

def weighted(y, v, w, alpha):
    low, high = gamma_ends(y * y / v if y else 0, (y + w) ** 2 / (v + w * w), alpha)
    return low * v / y if y else 0, high * (v + w * w) / (y + w)

def mcnemar(b, c):
    n = b + c
    return min(mp.mpf(1), 2 * sum(mp.binomial(n, i) for i in range(min(b, c) + 1)) / mp.mpf(2) ** n)

def line(kind, values, alpha, ends):
    text = [mp.nstr(mp.mpf(e), 20, min_fixed=0, max_fixed=0) if e not in (0, 1) else str(int(e)) for e in ends]
    print(",".join([kind, " ".join(values), alpha, *text]), flush=True)

TRIALS = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (3, 100), (50, 100), (97, 100), (17, 1000),
          (1, 100000), (3, 600000), (60000, 600000), (300000, 600000), (599997, 600000), (0, 10**8), (2, 10**8),
          (7, 10**9), (500000000, 10**9)]
COUNTS = [0, 1, 2, 5, 10, 100, 203, 10**4, 10**6]
WEIGHTED = [("0", "0", "1.5"), ("2.5", "3.25", "1.5"), ("40", "130.5", "7"), ("1000", "20000", "55"), ("1e-3", "1e-7", "2e-4")]

print("interval,of,alpha,low,high")
for alpha in ALPHAS:
    a = mp.mpf(alpha)
    for k, n in TRIALS:
        of = (str(k), str(n))
        line("clopper-pearson", of, alpha, clopper_pearson(mp.mpf(k), mp.mpf(n), a))
        line("wilson", of, alpha, wilson(mp.mpf(k), mp.mpf(n), a))
    for k in COUNTS:
        line("garwood", (str(k),), alpha, garwood(mp.mpf(k), a))
    for of in WEIGHTED:
        line("weighted", of, alpha, weighted(*map(mp.mpf, of), a))
    line("normal", (), alpha, (-z_of(a), z_of(a)))
for b, c in [(0, 5), (1, 9), (12, 30), (0, 40), (300, 350), (10, 900), (50000, 51000), (2000, 4000)]:
    line("mcnemar", (str(b), str(c)), "", (mcnemar(b, c),) * 2)
