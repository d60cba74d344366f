//! Errors and delays to order.

use std::time::Duration;

use crate::errno;
use crate::ops::Kind;

/// What a rule does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// The call has no effect and fails with this errno.
    Fail(i32),
    /// The call begins after this time.
    Delay(Duration),
}

/// "From the K-th call of this kind (to that one), do this."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    kind: Kind,
    effect: Effect,
    first: u64,
    last: u64,
    /// Calls of the kind so far.
    seen: u64,
}

fn kind(name: &str) -> Result<Kind, String> {
    let name = if name == "hypercall" { "hypercalls" } else { name };
    Kind::from_name(name).ok_or_else(|| format!("nothing is named \"{name}\""))
}

impl Rule {
    /// Reads `KIND:ERRNO`, `KIND:ERRNO@K` or `KIND:ERRNO@K+`.
    pub fn fault(spec: &str) -> Result<Rule, String> {
        let (name, rest) = spec.split_once(':').ok_or("wants KIND:ERRNO, KIND:ERRNO@K or @K+")?;
        let (error, when) = rest.split_once('@').unwrap_or((rest, "1+"));
        let errno = errno::from_name(error)
            .ok_or_else(|| format!("no error is named \"{error}\" (as in EINVAL)"))?;
        let (number, on) = match when.strip_suffix('+') {
            Some(number) => (number, true),
            None => (when, false),
        };
        let first = number.parse().ok().filter(|&k| k > 0);
        let first = first.ok_or("after @ wants the number of a call, 1 or more")?;
        let last = if on { u64::MAX } else { first };
        Ok(Rule { kind: kind(name)?, effect: Effect::Fail(errno), first, last, seen: 0 })
    }

    /// Reads `KIND:TIME`, the time in ns, us, ms or s.
    pub fn delay(spec: &str) -> Result<Rule, String> {
        let (name, time) = spec.split_once(':').ok_or("wants KIND:TIME, as in sysctl:2ms")?;
        let split = time.find(|c: char| !c.is_ascii_digit()).unwrap_or(time.len());
        let (number, unit) = time.split_at(split);
        let scale = match unit {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            _ => return Err("wants a time with its unit, ns, us, ms or s".to_owned()),
        };
        let nanos = number.parse::<u64>().ok().and_then(|n| n.checked_mul(scale));
        let nanos = nanos.filter(|&n| n <= 3_600_000_000_000).ok_or("wants a time up to 3600s")?;
        let effect = Effect::Delay(Duration::from_nanos(nanos));
        Ok(Rule { kind: kind(name)?, effect, first: 1, last: u64::MAX, seen: 0 })
    }
}

/// All rules of a simulated hypervisor.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Rules that have seen no call.
    pub fn new(rules: &[Rule]) -> Rules {
        Rules(rules.to_vec())
    }

    /// Tells the rules of a call that is of all these kinds. Gives the time that it has to wait, and
    /// the errno that it then fails with; the first rule that fails it decides.
    pub fn apply(&mut self, kinds: &[Kind]) -> (Duration, Option<i32>) {
        let mut delay = Duration::ZERO;
        let mut fault = None;
        for rule in self.0.iter_mut().filter(|rule| kinds.contains(&rule.kind)) {
            rule.seen += 1;
            if !(rule.first..=rule.last).contains(&rule.seen) {
                continue;
            }
            match rule.effect {
                Effect::Fail(errno) => fault = fault.or(Some(errno)),
                Effect::Delay(time) => delay += time,
            }
        }
        (delay, fault)
    }
}
