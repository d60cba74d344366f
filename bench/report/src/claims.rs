//! What the project promises of its costs, and whether the figures bear it out.

use crate::{
    data::{Hypervisor, ROOMY, Situation, Spread, Time, USUAL},
    names::{figure, number},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    /// By the median, while more than a quarter of the turns missed it.
    MetByTheMedian,
    NotMet,
    NotMeasured,
}

impl Verdict {
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::MetByTheMedian => "met by the median",
            Verdict::NotMet => "**not met**",
            Verdict::NotMeasured => "not measured",
        }
    }

    fn of(holds: bool) -> Self {
        if holds { Verdict::Met } else { Verdict::NotMet }
    }

    /// Of a ratio that should be at least so much, and of the same by CPU time.
    fn at_least(least: f64, ratio: Spread, by_cpu: f64) -> Self {
        if ratio.median < least || by_cpu < least {
            Verdict::NotMet
        } else if ratio.lower < least {
            Verdict::MetByTheMedian
        } else {
            Verdict::Met
        }
    }
}

/// A promise, what was measured about it, and the verdict.
#[derive(Clone, Debug)]
pub struct Claim {
    pub promise: String,
    pub measured: String,
    pub verdict: Verdict,
}

impl Claim {
    fn new(promise: impl Into<String>, found: Option<(String, Verdict)>) -> Self {
        let promise = promise.into();
        match found {
            Some((measured, verdict)) => Claim { promise, measured, verdict },
            None => Claim { promise, measured: "–".into(), verdict: Verdict::NotMeasured },
        }
    }
}

const KEPT: Situation = Situation { result: "kept", ..USUAL };

/// The growth in time per domain is promised between these, both included.
const GROWTH: (u32, u32) = (100, 16_000);
/// As far as OCaml's own minor heap has room for a list.
const ROOM: (u32, u32) = (100, 4000);

/// All claims about one hypervisor.
pub fn claims(h: &Hypervisor) -> Vec<Claim> {
    let mut all = vec![one_hypercall(h)];
    for (situation, result) in [(USUAL, "dropped"), (KEPT, "kept")] {
        all.push(above_floor(h, situation, result));
        all.push(times_as_fast(h, situation, result, 1000, 5.));
        all.push(times_as_fast(h, situation, result, 10, 20.));
    }
    all.push(getinfo(h));
    all.push(find(h));
    for operation in ["list", "find", "snapshot"] {
        all.push(growth(h, USUAL, operation, GROWTH));
    }
    all.push(growth(h, USUAL, "list", ROOM));
    all.push(growth(h, ROOMY, "list", GROWTH));
    all
}

fn one_hypercall(h: &Hypervisor) -> Claim {
    let rows: Vec<_> = h
        .times
        .iter()
        // Counted once for all numbers of threads.
        .filter(|row| row.way == "this" && row.calls > 0 && row.threads == USUAL.threads)
        .filter(|row| row.hypercalls.is_some() && row.mappings.is_some())
        .collect();
    let faults: Vec<String> = rows
        .iter()
        .filter(|row| row.hypercalls != Some(1) || row.mappings != Some(0))
        .map(|row| {
            format!(
                "{} with {} domains, {}: {} and {}",
                row.operation,
                number(row.domains.into()),
                row.mode,
                row.hypercalls.unwrap_or(0),
                row.mappings.unwrap_or(0)
            )
        })
        .collect();
    let found = (!rows.is_empty()).then(|| {
        if faults.is_empty() {
            (format!("so in all {} situations", rows.len()), Verdict::Met)
        } else {
            (faults.join("; "), Verdict::NotMet)
        }
    });
    Claim::new(
        "A list, a getinfo, a find_by_uuid, a snapshot taken anew and the loops of \
         docs/toolstack.md make one hypercall and no mapping, at every number of domains, natively \
         and as bytecode",
        found,
    )
}

fn above_floor(h: &Hypervisor, situation: Situation, result: &str) -> Claim {
    const PART: f64 = 0.2;
    let row = |way| h.find(situation, 1000, "list", way);
    let time = |way| row(way)?.time();
    let cpu = |way| row(way)?.cpu_us;
    let found = || {
        let (this, floor) = (time("this")?, time("floor")?);
        let (classic, bare) = (time("classic-1024")?, time("bare-1024")?);
        let (ours, theirs) = (this.median - floor.median, classic.median - bare.median);
        // From quartiles that lie towards each other and away from each other.
        let least = (this.lower - floor.upper) / (classic.upper - bare.lower);
        let most = (this.upper - floor.lower) / (classic.lower - bare.upper);
        let part = ours / theirs;
        let by_cpu = (cpu("this")? - cpu("floor")?) / (cpu("classic-1024")? - cpu("bare-1024")?);
        Some((
            format!(
                "{} − {} = {} µs; theirs {} − {} = {} µs: {} of it ({} to {}), by CPU time {}",
                figure(this.median),
                figure(floor.median),
                figure(ours),
                figure(classic.median),
                figure(bare.median),
                figure(theirs),
                figure(part),
                figure(least.max(0.)),
                figure(most),
                figure(by_cpu)
            ),
            Verdict::of(part <= PART && by_cpu <= PART),
        ))
    };
    let hvm = row("this").map_or(0, |row| row.hvm);
    Claim::new(
        format!(
            "1000 guests, {hvm} of them HVM with ten emulation flags, result {result}: the list \
             costs above its floor at most a fifth of what the C stubs (chunks of 1024) cost above \
             libxenctrl's bare calls"
        ),
        found(),
    )
}

fn times_as_fast(
    h: &Hypervisor,
    situation: Situation,
    result: &str,
    guests: u32,
    least: f64,
) -> Claim {
    let found = || {
        let row = |way| h.find(situation, guests, "list", way);
        let ratio = row("classic-1024")?.ratio()?;
        let by_cpu = row("classic-1024")?.cpu_us? / row("this")?.cpu_us?;
        Some((
            format!("{}, by CPU time {} ×", times(ratio), figure(by_cpu)),
            Verdict::at_least(least, ratio, by_cpu),
        ))
    };
    Claim::new(
        format!(
            "{} guests, result {result}: the whole list at least {least} times as fast as the C \
             stubs' (chunks of 1024)",
            number(guests.into())
        ),
        found(),
    )
}

fn times(ratio: Spread) -> String {
    format!("{} × ({} to {})", figure(ratio.median), figure(ratio.lower), figure(ratio.upper))
}

fn getinfo(h: &Hypervisor) -> Claim {
    let guests = h.guests();
    let ratios: Vec<(u32, Spread, f64)> = guests
        .iter()
        .filter_map(|&n| {
            let row = |way| h.find(USUAL, n, "getinfo", way);
            let by_cpu = row("classic")?.cpu_us? / row("this")?.cpu_us?;
            Some((n, row("classic")?.ratio()?, by_cpu))
        })
        .collect();
    let worst = ratios.iter().min_by(|a, b| a.1.median.total_cmp(&b.1.median));
    Claim::new(
        "domain_getinfo, with the lock released, no slower than the C stub that keeps it (one \
         thread)",
        worst.map(|&(n, ratio, by_cpu)| {
            (
                format!(
                    "the C stub takes at least {} as long (the least is with {}), by CPU time {} ×",
                    times(ratio),
                    match n {
                        1 => "1 guest".into(),
                        n => format!("{} guests", number(n.into())),
                    },
                    figure(by_cpu)
                ),
                Verdict::at_least(1., ratio, by_cpu),
            )
        }),
    )
}

fn find(h: &Hypervisor) -> Claim {
    const MOST: f64 = 1.15;
    let found = || {
        let row = |way| h.find(USUAL, 1000, "find", way);
        let Spread { lower, median, upper } = row("floor")?.ratio()?;
        let ratio = Spread { lower: 1. / upper, median: 1. / median, upper: 1. / lower };
        let by_cpu = row("this")?.cpu_us? / row("floor")?.cpu_us?;
        Some((
            format!("{}, by CPU time {} ×", times(ratio), figure(by_cpu)),
            // The same turned over: the floor takes at least so much of it.
            Verdict::at_least(1. / MOST, row("floor")?.ratio()?, 1. / by_cpu),
        ))
    };
    Claim::new(format!("1000 guests: find_by_uuid at most {MOST} × the bare hypercall"), found())
}

/// The least and the greatest time per domain, in nanoseconds, between so many guests; none
/// without both of these.
fn per_domain(
    h: &Hypervisor,
    situation: Situation,
    operation: &str,
    (first, last): (u32, u32),
    time: fn(&Time) -> Option<f64>,
) -> Option<(f64, f64)> {
    let all: Vec<(u32, f64)> = h
        .guests()
        .into_iter()
        .filter(|n| (first..=last).contains(n))
        .filter_map(|n| {
            let us = time(h.find(situation, n, operation, "this")?)?;
            Some((n, 1e3 * us / f64::from(n + 1)))
        })
        .collect();
    if all.first()?.0 != first || all.last()?.0 != last {
        return None;
    }
    let times = || all.iter().map(|&(_, time)| time);
    Some((times().fold(f64::INFINITY, f64::min), times().fold(0., f64::max)))
}

/// Of CPU time in the long run: a single call meets minor collections where its list is long, and
/// hardly ever where it is short.
fn growth(h: &Hypervisor, situation: Situation, operation: &str, guests: (u32, u32)) -> Claim {
    let what = match operation {
        "list" if situation == ROOMY => "the list, with a minor heap of 8M words",
        "list" => "the list",
        "find" => "find_by_uuid",
        _ => "a snapshot, summed up",
    };
    let range = |(least, most): (f64, f64)| {
        format!("{} to {} ns per domain, {} ×", figure(least), figure(most), figure(most / least))
    };
    let found = || {
        let cpu = per_domain(h, situation, operation, guests, |row| row.cpu_us)?;
        let median = per_domain(h, situation, operation, guests, |row| row.median_us)?;
        Some((
            format!("{} (medians of calls: {})", range(cpu), range(median)),
            Verdict::of(cpu.1 / cpu.0 <= 1.5),
        ))
    };
    let mut promise = format!(
        "{what}: CPU time per domain, in the long run, flat within 1.5 × from {} to {} guests",
        number(guests.0.into()),
        number(guests.1.into())
    );
    if !h.simulated() {
        promise.push_str(" (promised of xensim alone)");
    }
    Claim::new(promise, found())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(guests: u32, operation: &str, way: &str, us: f64, ratio: f64) -> Time {
        Time {
            mode: "native".into(),
            domains: guests + 1,
            hvm: guests / 2,
            threads: 1,
            operation: operation.into(),
            way: way.into(),
            result: "dropped".into(),
            hypercalls: Some(1),
            mappings: Some(0),
            words: Some(0),
            calls: 5,
            p25_us: Some(us),
            median_us: Some(us),
            p75_us: Some(us),
            cpu_us: Some(us),
            ratio_p25: Some(ratio),
            ratio: Some(ratio),
            ratio_p75: Some(ratio),
        }
    }

    fn hypervisor(times: Vec<Time>) -> Hypervisor {
        Hypervisor { name: "xensim-4.17".into(), times, processes: Vec::new(), machine: Vec::new() }
    }

    fn floor(this: f64) -> Claim {
        let h = hypervisor(vec![
            row(1000, "list", "this", this, 1.),
            row(1000, "list", "floor", 5., 1.),
            row(1000, "list", "classic-1024", 300., 10.),
            row(1000, "list", "bare-1024", 100., 4.),
        ]);
        above_floor(&h, USUAL, "dropped")
    }

    #[test]
    fn a_fifth_of_what_theirs_costs_above_the_floor() {
        assert_eq!(floor(45.).verdict, Verdict::Met);
        assert_eq!(floor(45.1).verdict, Verdict::NotMet);
        assert!(floor(25.).measured.contains("0.100 of it"), "{}", floor(25.).measured);
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        let h = hypervisor(vec![row(1000, "list", "this", 10., 1.)]);
        let unmeasured = |promise: &str| {
            claims(&h)
                .iter()
                .any(|c| c.promise.contains(promise) && c.verdict == Verdict::NotMeasured)
        };
        assert!(unmeasured("at most a fifth"));
        assert!(unmeasured("at least 20 times"));
        assert!(unmeasured("domain_getinfo"));
        assert!(unmeasured("find_by_uuid"));
    }

    #[test]
    fn a_way_without_calls_was_not_measured() {
        let mut classic = row(1000, "list", "classic-1024", 300., 10.);
        classic.calls = 0;
        let h = hypervisor(vec![classic, row(1000, "list", "this", 30., 1.)]);
        assert_eq!(times_as_fast(&h, USUAL, "dropped", 1000, 5.).verdict, Verdict::NotMeasured);
    }

    #[test]
    fn times_as_fast_by_the_median_and_by_cpu_time() {
        let verdict = |ratio, lower, this, least| {
            let classic =
                Time { ratio_p25: Some(lower), ..row(10, "list", "classic-1024", 300., ratio) };
            let h = hypervisor(vec![classic, row(10, "list", "this", this, 1.)]);
            times_as_fast(&h, USUAL, "dropped", 10, least).verdict
        };
        assert_eq!(verdict(19.9, 19.9, 10., 20.), Verdict::NotMet);
        assert_eq!(verdict(19.9, 19.9, 10., 19.), Verdict::Met);
        assert_eq!(verdict(19.9, 18.9, 10., 19.), Verdict::MetByTheMedian);
        assert_eq!(verdict(19.9, 19.9, 16., 19.), Verdict::NotMet);
    }

    #[test]
    fn find_by_the_median_and_by_cpu_time() {
        let verdict = |this: f64, floor: f64, cpu: f64| {
            let this = Time { cpu_us: Some(cpu), ..row(1000, "find", "this", this, 1.) };
            let h = hypervisor(vec![row(1000, "find", "floor", floor, floor / 5.), this]);
            find(&h).verdict
        };
        assert_eq!(verdict(5., 4.4, 5.), Verdict::Met);
        assert_eq!(verdict(5., 4.3, 5.), Verdict::NotMet);
        assert_eq!(verdict(5., 4.4, 5.1), Verdict::NotMet);
    }

    #[test]
    fn the_worst_getinfo_counts() {
        let h = hypervisor(vec![
            row(1, "getinfo", "classic", 1., 2.),
            row(1, "getinfo", "this", 0.5, 1.),
            row(10, "getinfo", "classic", 1., 0.9),
            row(10, "getinfo", "this", 0.5, 1.),
        ]);
        assert_eq!(getinfo(&h).verdict, Verdict::NotMet);
    }

    #[test]
    fn growth_is_that_of_the_time_per_domain() {
        let linear = |last: f64| {
            hypervisor(vec![
                // Below the range: the call itself dominates.
                row(1, "list", "this", 50., 1.),
                row(100, "list", "this", 101., 1.),
                row(16_000, "list", "this", last, 1.),
            ])
        };
        assert_eq!(growth(&linear(16_001.), USUAL, "list", GROWTH).verdict, Verdict::Met);
        assert_eq!(growth(&linear(1.6 * 16_001.), USUAL, "list", GROWTH).verdict, Verdict::NotMet);
        assert_eq!(growth(&linear(16_001. / 1.6), USUAL, "list", GROWTH).verdict, Verdict::NotMet);
        let half = hypervisor(vec![row(100, "list", "this", 101., 1.)]);
        assert_eq!(growth(&half, USUAL, "list", GROWTH).verdict, Verdict::NotMeasured);
    }

    #[test]
    fn a_second_hypercall_is_a_fault() {
        let mut row = row(1000, "find", "this", 10., 1.);
        row.hypercalls = Some(2);
        assert_eq!(one_hypercall(&hypervisor(vec![row])).verdict, Verdict::NotMet);
    }
}
