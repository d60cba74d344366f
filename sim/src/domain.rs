//! The table of domains.
//!
//! Each domain's record is kept as the hypercalls give it, so that a list is a copy. What records do
//! not show (pause counts, what the vCPUs would do if they could) stands beside them, in the same
//! order; [`Domains::update`] changes both together.

use crate::abi::domctl::{self, DomainInfo};

/// What a domain's record does not show.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// `max_vcpus` of its creation.
    pub max_vcpus: u32,
    /// How often the toolstack paused it.
    pub pauses: u32,
    /// A reason, or [`NO_SHUTDOWN_CODE`].
    pub shutdown_code: u32,
    /// All its vCPUs are paused for its shutdown.
    pub shut_down: bool,
    /// Destroyed; something still holds it.
    pub dying: bool,
    /// HVM or PVH.
    pub hvm: bool,
    /// It has hardware-assisted paging.
    pub hap: bool,
    /// It is a xenstore domain.
    pub xenstore: bool,
    /// A vCPU of it runs when nothing pauses it; otherwise all its online ones are blocked.
    pub busy: bool,
    /// Pages of the hypervisor's own that it takes.
    pub overhead: u64,
    /// Pages of its paging pool, some of them in `overhead`.
    pub pool: u32,
    /// Its weight in the scheduler.
    pub weight: u16,
    /// Its cap in the scheduler; 0: none.
    pub cap: u16,
    /// It was created for passing devices through.
    pub iommu: bool,
    /// A toolstack had built it when the simulation began, with all that belongs to it.
    pub built: bool,
    /// Its greatest event channel port.
    pub max_port: u32,
    /// CPU time of each of its vCPUs but the first.
    pub share: u64,
}

/// The shutdown code of a domain that has not shut down: all ones, of which the flags take a part.
pub const NO_SHUTDOWN_CODE: u32 = u32::MAX;

impl State {
    /// `XEN_DOMINF_*` of the record.
    fn flags(&self, online: u32) -> u32 {
        let halted = self.pauses > 0 || self.shut_down || self.dying;
        let vcpus = match (online, self.busy) {
            (0, _) => 0,
            (_, false) => domctl::DOMINF_BLOCKED,
            (_, true) if halted => 0,
            (_, true) => domctl::DOMINF_RUNNING,
        };
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        vcpus
            | bit(self.dying, domctl::DOMINF_DYING)
            | bit(self.shut_down, domctl::DOMINF_SHUTDOWN)
            | bit(self.pauses > 0, domctl::DOMINF_PAUSED)
            | bit(self.xenstore, domctl::DOMINF_XS_DOMAIN)
            | bit(self.hvm, domctl::DOMINF_HVM_GUEST)
            | bit(self.hap, domctl::DOMINF_HAP)
            | self.shutdown_code << domctl::DOMINF_SHUTDOWN_SHIFT
    }
}

fn is_running(record: &DomainInfo) -> bool {
    Domains::is_running(record)
}

/// All domains, ascending by domid.
#[derive(Debug, Default)]
pub struct Domains {
    /// A running domain's `cpu_time` is short by the time now: see [`Domains::info`].
    records: Vec<DomainInfo>,
    states: Vec<State>,
    pages: u64,
}

impl Domains {
    /// Whether a vCPU of the domain is on a pCPU.
    pub fn is_running(record: &DomainInfo) -> bool {
        record.flags & domctl::DOMINF_RUNNING != 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Pages that they take, the hypervisor's own for them among these.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Those whose vCPU is on a pCPU: places.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.records.len()).filter(|&place| is_running(&self.records[place]))
    }

    /// The place of a domain.
    pub fn find(&self, domid: u16) -> Option<usize> {
        let place = self.place(domid);
        self.records.get(place).is_some_and(|r| r.domain == domid).then_some(place)
    }

    /// The place of the first domain whose domid is not below this one.
    pub fn place(&self, domid: u16) -> usize {
        // With dense domids each domain is at its own number.
        match self.records.get(usize::from(domid)) {
            Some(record) if record.domain == domid => domid.into(),
            _ => self.records.partition_point(|r| r.domain < domid),
        }
    }

    /// The domid at a place.
    pub fn domid(&self, place: usize) -> u16 {
        self.records[place].domain
    }

    /// A domain's record as a hypercall gives it, at this time (ns since the start).
    ///
    /// A running domain uses one CPU. Its record holds its CPU time less the time when it began to
    /// run, so that a list need only add the time now.
    pub fn info(&self, place: usize, now: u64) -> DomainInfo {
        let mut info = self.records[place];
        if is_running(&info) {
            info.cpu_time = info.cpu_time.wrapping_add(now);
        }
        info
    }

    /// What a domain's record does not show.
    pub fn state(&self, place: usize) -> &State {
        &self.states[place]
    }

    /// Adds a domain. Its flags follow from its state; its `cpu_time` is what it has used so far.
    ///
    /// # Panics
    /// If its domid is taken.
    pub fn insert(&mut self, record: DomainInfo, mut state: State, now: u64) {
        // The scheduler's default, and the share that lets the vCPUs' times add up.
        state.weight = 256;
        state.share = record.cpu_time / u64::from(record.max_vcpu_id.saturating_add(1).max(1));
        let place = self.place(record.domain);
        assert!(self.find(record.domain).is_none(), "domid {} is taken", record.domain);
        self.records.insert(place, DomainInfo { flags: 0, ..record });
        self.states.insert(place, state);
        self.pages += record.tot_pages + state.overhead;
        self.update(place, now, |_, _| ());
    }

    /// Makes room for that many more.
    pub fn reserve(&mut self, more: usize) {
        self.records.reserve(more);
        self.states.reserve(more);
    }

    /// Changes a domain (not its domid), and what follows from the change.
    pub fn update(&mut self, place: usize, now: u64, f: impl FnOnce(&mut DomainInfo, &mut State)) {
        let mut record = self.info(place, now);
        let state = &mut self.states[place];
        self.pages -= record.tot_pages + state.overhead;
        f(&mut record, state);
        self.pages += record.tot_pages + state.overhead;
        record.flags = state.flags(record.nr_online_vcpus);
        if is_running(&record) {
            record.cpu_time = record.cpu_time.wrapping_sub(now);
        }
        self.records[place] = record;
    }

    /// Removes a domain.
    pub fn remove(&mut self, place: usize) {
        let (record, state) = (self.records.remove(place), self.states.remove(place));
        self.pages -= record.tot_pages + state.overhead;
    }
}
