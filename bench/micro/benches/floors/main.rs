//! The hypervisor floor's operations, and what the stubs read without one, each by itself: for those
//! who change that code. Whole calls from OCaml are what bench/suite measures.
//!
//! Throughput is domains, where a call looks at all of them. What a call answers is looked at once,
//! before it is timed.
//!
//! Carving is left out. Over the stand-in for OCaml's runtime, which a program without OCaml has,
//! an allocation is malloc's and an entry in a table, where OCaml's moves a pointer: that would be
//! most of the time, and not the library's. bench/suite shows what carving costs: the list
//! beside the hypercall alone.

mod hypercall;
mod xensim;

/// Domains on the host, dom0 among them.
const DOMAINS: [u16; 3] = [10, 1_000, 16_000];

fn main() {
    divan::main();
}

/// All domains: the hypercall, and what the floor adds to it (a buffer on loan, an answer checked).
mod list {
    use super::{DOMAINS, hypercall::Bare, xensim};
    use divan::{Bencher, counter::ItemsCount};
    use xenctrl_stubs::hypervisor::Wanted;

    #[divan::bench(args = DOMAINS)]
    fn hypercall(bencher: Bencher, domains: u16) {
        let bare = Bare::open(xensim::with(domains).release());
        assert_eq!(bare.list(), u32::from(domains));
        bencher.counter(ItemsCount::new(domains)).bench_local(|| bare.list());
    }

    #[divan::bench(args = DOMAINS)]
    fn domain_list(bencher: Bencher, domains: u16) {
        let xen = xensim::with(domains);
        // Its length alone is the result: divan keeps results for a while, and a list would keep
        // its buffer.
        let list = || xen.domain_list(0, Wanted::All).expect("there is a list").records().len();
        // Here the buffer grows, once.
        assert_eq!(list(), usize::from(domains));
        bencher.counter(ItemsCount::new(domains)).bench_local(list);
    }
}

/// Domains by their UUID.
mod domains_with_handle {
    use super::{DOMAINS, xensim};
    use divan::{Bencher, black_box, counter::ItemsCount};
    use xenctrl_stubs::{abi::DomainHandle, hypervisor::Xen};

    #[divan::bench(args = DOMAINS)]
    fn no_match(bencher: Bencher, domains: u16) {
        find(bencher, &xensim::with(domains), domains, [0xFF; 16], 0);
    }

    #[divan::bench(args = DOMAINS)]
    fn one_match(bencher: Bencher, domains: u16) {
        let xen = xensim::with(domains);
        let handle = xen.domain_info(domains / 2).expect("there is that domain").handle;
        find(bencher, &xen, domains, handle, 1);
    }

    fn find(bencher: Bencher, xen: &Xen, domains: u16, handle: DomainHandle, matches: usize) {
        let find = || xen.domains_with_handle(black_box(handle)).expect("there is a list");
        // Here the buffer grows, once.
        assert_eq!(find().count(), matches);
        bencher.counter(ItemsCount::new(domains)).bench_local(find);
    }
}

/// One domain by its domid.
#[divan::bench]
fn domain_info(bencher: divan::Bencher) {
    let xen = xensim::with(1_000);
    bencher.bench_local(|| xen.domain_info(divan::black_box(500)).expect("there is that domain"));
}

/// All domains, kept.
mod snapshot {
    use super::{DOMAINS, xensim};
    use divan::{Bencher, counter::ItemsCount};
    use xenctrl_stubs::hypervisor::{Snapshot, Wanted};

    /// The copy alone: no hypercall.
    #[divan::bench(args = DOMAINS)]
    fn replace(bencher: Bencher, domains: u16) {
        let xen = xensim::with(domains);
        let list = xen.domain_list(0, Wanted::All).expect("there is a list");
        let snapshot = Snapshot::empty().expect("there is address space");
        let replace = || snapshot.replace(snapshot.turn(), &list).expect("it was not freed");
        // Here its pages come into being, once.
        replace();
        assert_eq!(snapshot.length(), Some(usize::from(domains)));
        bencher.counter(ItemsCount::new(domains)).bench_local(replace);
    }

    /// One domain by its domid, another each time, in an order that no processor foresees.
    #[divan::bench(args = DOMAINS)]
    fn find(bencher: Bencher, domains: u16) {
        let xen = xensim::with(domains);
        let list = xen.domain_list(0, Wanted::All).expect("there is a list");
        let snapshot = Snapshot::empty().expect("there is address space");
        snapshot.replace(snapshot.turn(), &list).expect("it was not freed");
        let records = list.records();
        // A prime that does not divide the number of domains: each comes once in a round.
        let domids: Vec<i64> =
            (0..records.len()).map(|i| records[i * 7919 % records.len()].domain.into()).collect();
        assert!(domids.iter().all(|&domid| snapshot.find(domid).is_some()));
        let mut next = domids.iter().cycle();
        bencher.bench_local(|| snapshot.find(*next.next().expect("there are domains")));
    }
}

/// A UUID from text, as a stub's argument.
#[divan::bench]
fn uuid_from_text(bencher: divan::Bencher) {
    use runtime::{Argument, Build, IntoValue, Val, stand_in};
    use xenctrl_stubs::stubs::uuid::Uuid;

    let mut lock = stand_in::lock();
    let text = b"0F1e2D3c-4b5A-6978-8796-a5B4c3D2e1F0";
    let value = Build::String(text.to_vec()).into_value(&mut lock);
    // SAFETY: a string, which the stand-in neither moves nor frees by itself.
    let read = || Uuid::read(divan::black_box(unsafe { Val::new(&lock, value) })).ok();
    let uuid = 0x0F1E_2D3C_4B5A_6978_8796_A5B4_C3D2_E1F0_u128;
    assert_eq!(read(), Some(Uuid(uuid.to_be_bytes())));
    bencher.bench_local(read);
}
