//! The ways, for readers.

/// Operations in their order, with a heading.
pub const OPERATIONS: [(&str, &str); 4] = [
    ("list", "Listing all domains"),
    ("getinfo", "One domain by its domid"),
    ("find", "One domain by its UUID"),
    ("snapshot", "A number of every domain"),
];

/// The loops of docs/toolstack.md, likewise.
pub const LOOPS: [(&str, &str); 4] = [
    ("domains_of_uuid", "xenopsd: the domains of a VM"),
    ("watcher", "The xenstore watcher: what changed"),
    ("make_host", "squeezed: the memory of each domain"),
    ("domain_snapshot", "rrdd: UUID and CPU time of each domain"),
];

/// What the ways of an operation are called, in the order in which they are shown.
pub fn ways(operation: &str) -> &'static [(&'static str, &'static str)] {
    match operation {
        "list" => &[
            ("classic-2", "C stubs, chunks of 2"),
            ("classic-1024", "C stubs, chunks of 1024"),
            ("interop", "ocaml-interop"),
            ("this", "this library"),
            ("bare-1024", "libxenctrl's calls alone"),
            ("floor", "the hypercall alone"),
        ],
        "getinfo" => &[
            // Of later releases it asks for one domain, as this library does.
            ("classic", "C stub, of 4.17: a list of one"),
            ("interop", "ocaml-interop"),
            ("this", "this library"),
            ("bare", "libxenctrl's call alone"),
            ("floor", "the hypercall alone"),
        ],
        "find" => &[
            ("classic-1024-filter", "C stubs' list, filtered"),
            ("interop-filter", "ocaml-interop's list, filtered"),
            ("list-filter", "this library's list, filtered"),
            ("this", "find_by_uuid"),
            ("hint", "find_by_uuid with a hint"),
            ("floor", "the hypercall alone"),
        ],
        "snapshot" => &[
            ("classic-1024-fold", "C stubs' list, summed up"),
            ("interop-fold", "ocaml-interop's list, summed up"),
            ("list-fold", "this library's list, summed up"),
            ("this", "snapshot, summed up"),
            ("take", "Snapshot.take alone"),
            ("retake", "Snapshot.retake alone"),
            ("floor", "the hypercall alone"),
        ],
        "domains_of_uuid" => &[
            ("classic-1024", "C stubs' list"),
            ("list", "this library's list"),
            ("this", "find_by_uuid"),
        ],
        "watcher" | "make_host" | "domain_snapshot" => &[
            ("classic-1024", "C stubs' list"),
            ("list", "this library's list"),
            ("this", "snapshot"),
        ],
        _ => &[],
    }
}

/// With thousands separated: 32,751.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With as many digits as mean something: 812,345 or 81.2 or 8.12 or 0.812.
pub fn figure(x: f64) -> String {
    if x >= 99.95 {
        number(x.round() as u64)
    } else if x >= 9.995 {
        format!("{x:.1}")
    } else if x >= 0.9995 {
        format!("{x:.2}")
    } else {
        format!("{x:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1000), "1,000");
        assert_eq!(number(1234567), "1,234,567");
    }

    #[test]
    fn figures() {
        assert_eq!(figure(1234.5), "1,235");
        assert_eq!(figure(99.96), "100");
        assert_eq!(figure(12.34), "12.3");
        assert_eq!(figure(9.999), "10.0");
        assert_eq!(figure(1.234), "1.23");
        assert_eq!(figure(0.1234), "0.123");
    }
}
