//! results.md.

use std::fmt::Write;

use crate::{
    claims::claims,
    data::{Hypervisor, ROOMY, Situation, Spread, Time, USUAL},
    names::{LOOPS, OPERATIONS, figure, number, ways},
};

/// What a cell holds where nothing was measured.
const NONE: &str = "–";

/// A Markdown table whose first column alone is text.
fn table(text: &mut String, header: &[String], rows: &[Vec<String>]) {
    assert!(rows.iter().all(|row| row.len() == header.len()), "a cell for each column");
    let mut line = |cells: &[String]| writeln!(text, "| {} |", cells.join(" | ")).unwrap();
    line(header);
    let mut rule = vec!["---".to_string()];
    rule.resize(header.len(), "--:".into());
    line(&rule);
    rows.iter().for_each(|row| line(row));
    text.push('\n');
}

fn strings(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.into()).collect()
}

fn or_none(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| NONE.into())
}

fn spread(s: Spread) -> String {
    format!("{} ({}–{})", figure(s.median), figure(s.lower), figure(s.upper))
}

/// The number of guests at which counts are shown, of those at which processes were looked at: 1000,
/// or the most there are.
pub fn shown_guests(h: &Hypervisor) -> Option<u32> {
    let all = || h.processes.iter().map(|process| process.domains - 1);
    all().find(|&guests| guests == 1000).or_else(|| all().max())
}

/// All results.
pub fn results(all: &[Hypervisor]) -> String {
    let mut text = String::from(
        "# Results\n\n\
         Written by `make bench`. Times are microseconds per call: the median, and in brackets \
         the range of the middle half. Ratios are to this library's way of the operation, turn \
         by turn, likewise. CPU time in the long run has a call's share of minor collections in \
         it, which most calls with a small result do not meet; what is promised of times holds for \
         both. Mappings are calls of mmap for memory that hypercalls use. Unless something else is \
         said: native code, one thread, the result dropped at once. All figures, with those that \
         are not shown here, are in the folders' CSV files.\n\n\
         Compare within a table: the times in QEMU are an emulator's. A dash is what was not \
         measured: chunks of 2 take a time that grows with the square of the domains, and are left \
         out where a call would take many seconds; instructions are counted on xensim alone. \
         Memory is what the process had at its peak, less that of one that opens the same handles \
         and calls nothing.\n\n",
    );
    for h in all {
        hypervisor(&mut text, h);
    }
    text
}

fn hypervisor(text: &mut String, h: &Hypervisor) {
    writeln!(text, "## {}\n", h.title()).unwrap();
    let facts: Vec<String> =
        h.machine.iter().map(|fact| format!("{} {}", fact.what, fact.value)).collect();
    writeln!(text, "{}.\n", facts.join(", ")).unwrap();

    text.push_str("### Promises\n\n");
    let rows: Vec<Vec<String>> = claims(h)
        .into_iter()
        .map(|claim| vec![claim.promise, claim.measured, claim.verdict.text().into()])
        .collect();
    table(text, &strings(&["Promise", "Measured", "Verdict"]), &rows);

    for (operation, heading) in OPERATIONS {
        writeln!(text, "### {heading}\n").unwrap();
        if operation != "getinfo" {
            writeln!(text, "![{heading}](plots/{}-{operation}.svg)\n", h.name).unwrap();
        }
        if let Some(guests) = shown_guests(h) {
            counts(text, h, operation, guests);
            by_guests(text, h, operation, USUAL);
            if h.times.iter().any(|row| row.operation == operation && row.mode == ROOMY.mode) {
                text.push_str(
                    "With a minor heap of 8M words, which has room for any list, and which caches \
                     have no room for:\n\n",
                );
                by_guests(text, h, operation, ROOMY);
            }
            by_situation(text, h, operation, guests);
        }
    }
    text.push_str("### The loops of docs/toolstack.md\n\n");
    for (operation, heading) in LOOPS {
        if !known_ways(h, operation).is_empty() {
            writeln!(text, "{heading}:\n").unwrap();
            by_guests(text, h, operation, USUAL);
        }
    }
    writeln!(text, "### Where the time goes\n\n![Breakdown](plots/{}-breakdown.svg)\n", h.name)
        .unwrap();
}

fn is_known(h: &Hypervisor, operation: &str, way: &str) -> bool {
    h.times.iter().any(|row| row.operation == operation && row.way == way)
}

/// The ways that were measured at all.
fn known_ways(h: &Hypervisor, operation: &str) -> Vec<(&'static str, &'static str)> {
    ways(operation).iter().copied().filter(|(way, _)| is_known(h, operation, way)).collect()
}

fn counts(text: &mut String, h: &Hypervisor, operation: &str, guests: u32) {
    let first = format!("{} guests, per call", number(guests.into()));
    let header = [
        &first,
        "µs",
        "CPU time, in the long run",
        "ratio",
        "hypercalls",
        "mappings",
        "system calls",
        "instructions",
        "OCaml words",
        "peak memory, dropped",
        "kept",
    ];
    let rows: Vec<Vec<String>> = known_ways(h, operation)
        .into_iter()
        .map(|(way, name)| {
            let row = h.find(USUAL, guests, operation, way);
            let process = h.process(guests, operation, way, "dropped");
            let count = |field: fn(&Time) -> Option<u64>| or_none(row.and_then(field).map(number));
            vec![
                name.into(),
                or_none(row.and_then(Time::time).map(spread)),
                or_none(row.and_then(|r| r.cpu_us).map(figure)),
                or_none(row.and_then(Time::ratio).map(spread)),
                count(|r| r.hypercalls),
                count(|r| r.mappings),
                count_of(process.and_then(|p| p.system_calls)),
                count_of(process.and_then(|p| p.instructions)),
                count(|r| r.words),
                memory(h, guests, operation, way, "dropped"),
                memory(h, guests, operation, way, "kept"),
            ]
        })
        .collect();
    table(text, &strings(&header), &rows);
}

/// Whole where it is large; a tenth of a system call can be the language runtime's.
fn count_of(count: Option<f64>) -> String {
    or_none(count.map(|n| if n >= 10. { number(n.round() as u64) } else { format!("{n:.1}") }))
}

/// Above that of a process that opens everything and calls nothing.
fn memory(h: &Hypervisor, guests: u32, operation: &str, way: &str, result: &str) -> String {
    let peak = |operation, way, result| h.process(guests, operation, way, result)?.peak_kib;
    or_none((|| {
        let nothing = peak("none", "nothing", "dropped")?;
        Some(format!("{} KiB", number(peak(operation, way, result)?.saturating_sub(nothing))))
    })())
}

fn by_guests(text: &mut String, h: &Hypervisor, operation: &str, situation: Situation) {
    let guests = h.guests();
    let mut header = vec!["µs, with so many guests".to_string()];
    header.extend(guests.iter().map(|&n| number(n.into())));
    let rows: Vec<Vec<String>> = known_ways(h, operation)
        .into_iter()
        .filter(|(way, _)| guests.iter().any(|&n| h.time(situation, n, operation, way).is_some()))
        .map(|(way, name)| {
            let mut row = vec![name.to_string()];
            row.extend(
                guests.iter().map(|&n| or_none(h.time(situation, n, operation, way).map(spread))),
            );
            row
        })
        .collect();
    table(text, &header, &rows);
}

fn by_situation(text: &mut String, h: &Hypervisor, operation: &str, guests: u32) {
    let mut situations = Vec::new();
    for mode in ["native", "bytecode"] {
        for result in ["dropped", "kept"] {
            for threads in h.threads() {
                situations.push(Situation { mode, threads, result });
            }
        }
    }
    let mut header = vec![format!("µs per call, {} guests", number(guests.into()))];
    header.extend(situations.iter().map(|s| {
        let threads =
            if s.threads == 1 { String::new() } else { format!(", {} threads", s.threads) };
        format!("{}, {}{threads}", s.mode, s.result)
    }));
    let rows: Vec<Vec<String>> = known_ways(h, operation)
        .into_iter()
        .map(|(way, name)| {
            let mut row = vec![name.to_string()];
            row.extend(situations.iter().map(|&situation| {
                or_none(h.time(situation, guests, operation, way).map(|t| figure(t.median)))
            }));
            row
        })
        .collect();
    table(text, &header, &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        let mut text = String::new();
        table(&mut text, &strings(&["way", "µs"]), &[strings(&["this", "1"])]);
        assert_eq!(text, "| way | µs |\n| --- | --: |\n| this | 1 |\n\n");
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        assert_eq!(or_none(None), "–");
        assert_eq!(count_of(Some(0.04)), "0.0");
        assert_eq!(count_of(Some(51234.4)), "51,234");
    }
}
