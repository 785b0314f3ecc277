#!/usr/bin/env python3
"""A year of synthetic history, and its KPIs by the definitions of docs/kpis.md.

Written from that page alone, before Northstar computed anything, with the standard library only.
`python3 tests/kpis/compute.py` writes history.jsonl and expected.json beside itself; the tests of
Northstar read both. policy.yaml beside it declares the same KPIs in the policy's language.
"""

import json
import math
import os
import random
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

HERE = os.path.dirname(os.path.abspath(__file__))
ZONE = ZoneInfo("Europe/London")
UTC = timezone.utc

# ---------------------------------------------------------------- a year, made up

START = datetime(2025, 10, 6, tzinfo=UTC)
END = datetime(2026, 11, 23, tzinfo=UTC)
KNOWN = {"issues": datetime(2025, 11, 3, 9, 30, tzinfo=UTC), "moves": datetime(2026, 1, 14, 16, 0, tzinfo=UTC)}
KINDS = ["feature", "bug", "support", "event", "new-hub", "docs", "task", "incident"]
WEIGHTS = [14, 12, 40, 6, 6, 5, 12, 5]
GOALS = ["platform-automation", "scalable-engagement", "reliability", "upstream"]
DECISIONS = ["accepted", "deferred", "declined"]


def stamp(t):
    return t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def office(rng, t):
    """The next moment at which somebody is likely to be at work."""
    local = t.astimezone(ZONE)
    if local.weekday() >= 5 and rng.random() < 0.93:
        days = 7 - local.weekday()
        local = datetime.combine(local.date() + timedelta(days=days), time(9), ZONE) + timedelta(minutes=rng.randrange(480))
    return local.astimezone(UTC)


def invent():
    rng = random.Random(20260105)
    events = []

    def say(t, item, what, **rest):
        events.append((t.replace(microsecond=0), len(events), {"item": item, "what": what, **rest}))

    item = 0
    now = START
    while now < END:
        summer = 0.6 if now.month in (7, 8, 12) else 1.0
        now += timedelta(hours=rng.expovariate(summer / 19.0))
        item += 1
        opened = office(rng, now)
        kind = rng.choices(KINDS, WEIGHTS)[0]
        draft = rng.random() < 0.04
        lost = rng.random() < 0.01  # opened before anybody could see: no event
        if draft:
            say(opened - timedelta(days=rng.uniform(0.5, 6)), item, "moved", board="delivery", **{"from": "", "to": "Up Next"})
        if not lost:
            say(opened, item, "opened")
        first = kind if rng.random() < 0.85 else "feature"
        say(opened + timedelta(seconds=20), item, "set", name="kind", values=[first], person=False)
        if first != kind:
            say(office(rng, opened + timedelta(days=rng.uniform(0.1, 9))), item, "set", name="kind", values=[kind], person=True)
        if kind not in ("support", "incident") and rng.random() < 0.6:
            goals = sorted(rng.sample(GOALS, rng.choice([1, 1, 1, 2])))
            say(opened + timedelta(seconds=40), item, "set", name="goal", values=goals, person=False)
            if rng.random() < 0.05:
                say(opened + timedelta(days=rng.uniform(1, 5)), item, "set", name="goal", values=[], person=True)
        # In the first weeks nobody triaged in time; it got better.
        pace = 9 if now < datetime(2026, 3, 1, tzinfo=UTC) else 3
        t = office(rng, opened + timedelta(days=rng.expovariate(1 / pace)))
        if rng.random() < 0.03:
            say(t, item, "gone")
            continue
        if rng.random() < 0.05:
            say(t, item, "closed", reason="duplicate")
            continue
        if rng.random() < 0.9:
            if rng.random() < 0.2:
                say(opened + timedelta(minutes=1), item, "set", name="triage", values=["needs-triage"], person=False)
            decision = rng.choices(DECISIONS, [70, 18, 12])[0]
            say(t, item, "set", name="triage", values=[decision], person=True)
            if rng.random() < 0.05:
                say(t + timedelta(hours=1), item, "set", name="triage", values=[decision], person=True)
            if decision == "declined":
                say(t + timedelta(minutes=2), item, "closed", reason="not_planned")
                continue
            if decision == "deferred":
                if rng.random() < 0.3:
                    t = office(rng, t + timedelta(days=rng.uniform(20, 90)))
                    say(t, item, "set", name="triage", values=["accepted"], person=True)
                else:
                    continue
        elif rng.random() < 0.5:
            continue
        column = "" if not draft else "Up Next"

        def move(t, to):
            nonlocal column
            if to != column:
                say(t, item, "moved", board="delivery", **{"from": column, "to": to})
                column = to

        if kind in ("support", "incident"):
            t = office(rng, t + timedelta(days=rng.expovariate(1 / (0.4 if kind == "incident" else 4))))
        else:
            move(t + timedelta(minutes=5), "Up Next")
            if rng.random() < 0.8:
                say(t + timedelta(minutes=6), item, "set", name="delivery.Estimate", values=[rng.choice(["1", "2", "3", "5", "8", "0.5"])], person=True)
            t = office(rng, t + timedelta(days=rng.expovariate(1 / 12)))
            if rng.random() < 0.06:
                say(t, item, "overridden", of="in-flight")
            move(t, "In Progress")
            while True:
                t = office(rng, t + timedelta(days=rng.lognormvariate(1.8, 0.8)))
                roll = rng.random()
                if roll < 0.10:
                    move(t, "Up Next")  # put back
                    t = office(rng, t + timedelta(days=rng.uniform(1, 20)))
                    move(t, "In Progress")
                elif roll < 0.25:
                    move(t, "In Review/Blocked")
                    t = office(rng, t + timedelta(days=rng.uniform(0.2, 5)))
                    if rng.random() < 0.3:
                        move(t, "In Progress")
                elif roll < 0.29:
                    move(t, "")  # taken off the board
                    break
                else:
                    move(t, "Done")
                    break
            if rng.random() < 0.05:
                say(t + timedelta(days=1), item, "set", name="delivery.Estimate", values=["13"], person=True)
        say(t + timedelta(minutes=1), item, "closed", reason="completed")
        if rng.random() < 0.08:
            t = office(rng, t + timedelta(days=rng.uniform(0.5, 40)))
            say(t, item, "reopened")
            if column:
                move(t + timedelta(minutes=1), "In Progress")
            if rng.random() < 0.8:
                t = office(rng, t + timedelta(days=rng.uniform(0.5, 12)))
                if column:
                    move(t, "Done")
                say(t, item, "closed", reason="completed")
                if rng.random() < 0.3:
                    say(t + timedelta(hours=2), item, "closed", reason="completed")

    events.sort(key=lambda e: (e[0], e[1]))
    out = []
    for t, _, event in events:
        moved = event["what"] == "moved"
        # What happened before anybody looked: half of the moves are not known at all.
        if moved and t < KNOWN["moves"] and rng.random() < 0.5:
            continue
        if t < END:
            out.append({"at": stamp(t), **event})
    return out


# ---------------------------------------------------------------- the definitions


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def at_local(naive):
    """A local time as an instant: in a gap moved forward, in a fold the first."""
    return naive.replace(tzinfo=ZONE, fold=0).astimezone(UTC)


def weeks_before(end, n):
    local = end.astimezone(ZONE).replace(tzinfo=None)
    return at_local(local - timedelta(days=7 * n))


def days(a, b):
    return (b - a).total_seconds() / 86400


def working_days(a, b):
    total = 0.0
    day = a.astimezone(ZONE).date()
    while True:
        start = at_local(datetime.combine(day, time()))
        if start >= b:
            return total
        after = at_local(datetime.combine(day + timedelta(days=1), time()))
        if day.weekday() < 5:
            inside = (min(b, after) - max(a, start)).total_seconds()
            if inside > 0:
                total += inside / (after - start).total_seconds()
        day += timedelta(days=1)


def length(kpi, a, b):
    return working_days(a, b) if kpi.get("unit") == "working days" else days(a, b)


def statistic(name, samples):
    if not samples:
        return None
    ordered = sorted(samples)
    if name == "mean":
        return math.fsum(samples) / len(samples)
    if name == "max":
        return ordered[-1]
    rank = math.ceil({"p50": 50, "p90": 90}[name] * len(samples) / 100)
    return ordered[rank - 1]


class Item:
    """What is known of an item at E."""

    def __init__(self, events):
        self.opened = next((t for t, e in events if e["what"] == "opened"), None)
        self.state, self.reason, self.closed_at, self.first_closed = "open", None, None, None
        self.values, self.sets, self.moves, self.overridden = {}, [], [], []
        for t, e in events:
            what = e["what"]
            if what == "closed" and self.state != "closed":
                self.state, self.reason, self.closed_at = "closed", e["reason"], t
                self.first_closed = self.first_closed or t
            elif what == "reopened":
                self.state = "open"
            elif what == "gone":
                self.state = "gone"
            elif what == "set":
                self.sets.append((t, e["name"], e["values"], self.values.get(e["name"], []), e["person"]))
                self.values[e["name"]] = e["values"]
            elif what == "moved":
                self.moves.append((t, e["board"], e["from"], e["to"]))
            elif what == "overridden":
                self.overridden.append(t)

    def kept_by(self, where):
        for name, wanted in where.items():
            has = self.values.get(name, [])
            if not any((w == "*" and has) or (w == "" and not has) or w in has for w in wanted):
                return False
        return True


def measure(kpi, items, end, known):
    start = weeks_before(end, kpi.get("weeks", 12))
    source = known["moves" if kpi["measure"] in ("cycle_time", "velocity") else "issues"]
    items = [i for i in items if i.kept_by(kpi.get("where", {}))]
    samples, unknown, coverage = [], 0, max(0.0, (end - max(start, source)).total_seconds()) / (end - start).total_seconds()
    share = None
    inside = lambda t: t is not None and start <= t < end
    what = kpi["measure"]

    if what == "cycle_time":
        frm, into = set(kpi["from"]), set(kpi.get("into", []))
        for item in items:
            moves = [m for m in item.moves if m[1] == kpi["board"]]
            entries = [t for t, _, a, b in moves if b in frm and a not in frm]
            leavings = [t for t, _, a, b in moves if a in frm and b not in frm and (not into or b in into)]
            if not leavings or not inside(leavings[-1]) or moves[-1][3] in frm:
                continue
            left = leavings[-1]
            _, _, a, _ = next(m for m in moves if m[2] in frm or m[3] in frm)
            first = entries[0] if entries else None
            broken = a in frm
            if broken or first is None or first < known["moves"]:
                unknown += 1
            else:
                samples.append(length(kpi, first, left))
    elif what == "first_triage":
        for item in items:
            ends = [t for t, name, values, _, _ in item.sets if name == kpi["attribute"] and set(values) & set(kpi["values"])][:1]
            ends += [item.first_closed] if item.first_closed else []
            if not ends or not inside(min(ends)):
                continue
            if item.opened is None or item.opened < known["issues"]:
                unknown += 1
            else:
                samples.append(length(kpi, item.opened, min(ends)))
    elif what == "resolution":
        for item in items:
            if item.state == "closed" and item.reason != "duplicate" and inside(item.closed_at):
                if item.opened is None:
                    unknown += 1
                else:
                    samples.append(length(kpi, item.opened, item.closed_at))
    elif what == "velocity":
        columns = set(kpi["columns"])
        first = date.fromisoformat(kpi["iterations"]["first"])
        step = 7 * kpi["iterations"]["weeks"]
        done = []
        for item in items:
            entry = next((t for t, board, a, b in item.moves if board == kpi["board"] and b in columns and a not in columns), None)
            if entry is not None:
                try:
                    done.append((entry, float(item.values.get(kpi["points"], [""])[0])))
                except (ValueError, IndexError):
                    pass
        n = 0
        while True:
            a = at_local(datetime.combine(first + timedelta(days=n * step), time()))
            b = at_local(datetime.combine(first + timedelta(days=(n + 1) * step), time()))
            n += 1
            if b > end:
                break
            if a < start:
                continue
            if a < known["moves"]:
                unknown += 1
            else:
                samples.append(math.fsum(points for t, points in done if a <= t < b))
    elif what == "share":
        part = other = 0
        for item in items:
            if item.state == "closed" and item.reason == "completed" and inside(item.closed_at):
                if item.kept_by(kpi["against"]):
                    other += 1
                elif item.kept_by(kpi["of"]):
                    part += 1
        share = (part, other)
    elif what in ("intake", "decisions", "overrides"):
        times = []
        for item in items:
            if what == "intake":
                times += [item.opened] if item.opened else []
            elif what == "overrides":
                times += item.overridden
            else:
                wanted = set(kpi["values"])
                times += [
                    t
                    for t, name, values, before, person in item.sets
                    if person and name == kpi["attribute"] and set(values) & wanted and set(values) != set(before)
                ]
        for week in range(kpi.get("weeks", 12)):
            a, b = weeks_before(end, week + 1), weeks_before(end, week)
            if a < known["issues"]:
                unknown += 1
            else:
                samples.append(sum(1 for t in times if a <= t < b))
    elif what in ("undecided_age", "unaligned"):
        coverage = 1.0 if end >= known["issues"] else 0.0
        for_now = [i for i in items if i.state == "open"] if coverage else []
        if what == "unaligned":
            part = sum(1 for i in for_now if not i.values.get(kpi["attribute"]))
            share = (part, len(for_now) - part)
        else:
            for item in for_now:
                if set(item.values.get(kpi["attribute"], [])) & set(kpi["values"]):
                    continue
                if item.opened is None:
                    unknown += 1
                else:
                    samples.append(length(kpi, item.opened, end))
    else:
        raise ValueError(what)

    if share is not None:
        n = sum(share)
        value = 100 * share[0] / n if n else None
    else:
        n = len(samples)
        value = statistic(kpi["statistic"], samples)
    small = n < (10 if kpi.get("statistic") == "p90" else 5)
    return {"value": value, "n": n, "unknown": unknown, "small": small, "coverage": coverage}


DELIVERY = {"board": "delivery", "from": ["In Progress", "In Review/Blocked"]}
TRIAGE = {"attribute": "triage", "values": DECISIONS}
SUPPORT = {"where": {"kind": ["support", "incident"]}}
KPIS = [
    {"id": "cycle-mean", "measure": "cycle_time", **DELIVERY, "into": ["Done"], "statistic": "mean", "unit": "days"},
    {"id": "cycle-p50", "measure": "cycle_time", **DELIVERY, "statistic": "p50", "unit": "days"},
    {"id": "cycle-p90", "measure": "cycle_time", **DELIVERY, "into": ["Done"], "statistic": "p90", "unit": "working days"},
    {"id": "cycle-features", "measure": "cycle_time", **DELIVERY, "statistic": "max", "unit": "days", "weeks": 4, "where": {"kind": ["feature"]}},
    {"id": "triage-p50", "measure": "first_triage", **TRIAGE, "statistic": "p50", "unit": "days"},
    {"id": "triage-p90", "measure": "first_triage", **TRIAGE, "statistic": "p90", "unit": "working days", "weeks": 6},
    {"id": "support-p50", "measure": "resolution", **SUPPORT, "statistic": "p50", "unit": "days"},
    {"id": "support-p90", "measure": "resolution", **SUPPORT, "statistic": "p90", "unit": "days"},
    {"id": "support-p50-working", "measure": "resolution", **SUPPORT, "statistic": "p50", "unit": "working days"},
    {"id": "support-p90-working", "measure": "resolution", **SUPPORT, "statistic": "p90", "unit": "working days"},
    {"id": "incidents", "measure": "resolution", "where": {"kind": ["incident"]}, "statistic": "mean", "unit": "days", "weeks": 3},
    {"id": "velocity", "measure": "velocity", "board": "delivery", "columns": ["Done"], "points": "delivery.Estimate", "iterations": {"first": "2024-10-16", "weeks": 2}, "statistic": "mean"},
    {"id": "proactive", "measure": "share", "of": {"goal": ["*"]}, "against": SUPPORT["where"]},
    {"id": "intake", "measure": "intake", "statistic": "mean"},
    {"id": "intake-goalless", "measure": "intake", "statistic": "p50", "where": {"goal": [""]}},
    {"id": "decisions", "measure": "decisions", **TRIAGE, "statistic": "mean"},
    {"id": "overrides", "measure": "overrides", "statistic": "mean"},
    {"id": "undecided-p50", "measure": "undecided_age", **TRIAGE, "statistic": "p50", "unit": "days"},
    {"id": "undecided-max", "measure": "undecided_age", **TRIAGE, "statistic": "max", "unit": "working days", "where": {"kind": ["feature", "bug"]}},
    {"id": "unaligned", "measure": "unaligned", "attribute": "goal"},
]


def main():
    history = invent()
    with open(os.path.join(HERE, "history.jsonl"), "w") as out:
        out.write(json.dumps({"known": {k: stamp(t) for k, t in KNOWN.items()}}) + "\n")
        for event in history:
            out.write(json.dumps(event, separators=(",", ":")) + "\n")
    timed = [(instant(e["at"]), e) for e in history]
    last = datetime(2026, 11, 23)  # a Monday, local midnight
    expected = []
    for week in reversed(range(56)):
        # Some weeks end at another hour: in the small hours that clocks skip or repeat.
        naive = last - timedelta(days=7 * week)
        if week % 5 == 0:
            naive += timedelta(days=6, hours=1, minutes=30) - timedelta(days=7)
        end = at_local(naive)
        by_item = {}
        for t, e in timed:
            if t < end:
                by_item.setdefault(e["item"], []).append((t, e))
        items = [Item(events) for events in by_item.values()]
        figures = {kpi["id"]: measure(kpi, items, end, KNOWN) for kpi in KPIS}
        expected.append({"end": stamp(end), "kpis": figures})
    with open(os.path.join(HERE, "expected.json"), "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in expected) + "\n]\n")


if __name__ == "__main__":
    main()
