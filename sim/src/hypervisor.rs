//! The simulated hypervisor: its state, its lock, and the way into it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::abi;
use crate::abi::release::Release;
use crate::abi_more::{DOMID_SELF, HYPERVISOR_MULTICALL, MulticallEntry};
use crate::config::{Config, MAX_DOMAINS, Report};
use crate::console::Console;
use crate::domain::Domains;
use crate::errno::Ret;
use crate::fault::Rules;
use crate::ops::Kind;
use crate::{
    buffer, counters, domctl, event_channel, foreign, frames, guest, hvm, memory, pci, population,
    sched, sysctl, vcpu, version,
};

/// The domain that makes the hypercalls.
pub const CALLER: u16 = 0;

/// A simulated hypervisor.
pub struct Hypervisor {
    /// What it was told to be.
    pub config: Config,
    /// Its domains.
    pub domains: Domains,
    /// Errors and delays to order.
    rules: Rules,
    /// The domid that was allocated last.
    pub rover: u16,
    /// Domids that no domain has and that yet are taken, by a fault of the release's.
    pub leaked: BTreeSet<u16>,
    /// All memory, in pages.
    pub total_pages: u64,
    /// What is known of vCPUs beyond the domains' records.
    pub vcpus: vcpu::Table,
    /// Pages of domains that the program maps.
    pub foreign: foreign::Table,
    /// What is known of the domains' frames.
    pub frames: frames::Table,
    /// Event channels of domains.
    pub ports: event_channel::Table,
    /// Parameters of HVM and PVH guests.
    pub params: hvm::Table,
    /// The hypervisor's console.
    pub console: Console,
    /// Dom0's watchdogs.
    pub watchdogs: sched::Watchdogs,
    /// Devices that can be passed through.
    pub devices: pci::Devices,
    start: Instant,
}

impl Hypervisor {
    /// A hypervisor as configured, or what is wrong with the configuration.
    pub fn new(config: Config) -> Result<Hypervisor, String> {
        let domains = population::populate(&config);
        let needed = domains.pages();
        let total_pages = match config.memory {
            Some(mib) if mib << 8 < needed => {
                let needed = needed.div_ceil(256);
                return Err(format!("\"memory={mib}\": the domains have {needed} MiB"));
            }
            Some(mib) => mib << 8,
            // A quarter more, in whole modules of 16 GiB.
            None => (needed + needed / 4).next_multiple_of(16 << 18),
        };
        let rover = domains.domid(domains.len() - 1);
        let (rules, start) = (Rules::new(&config.rules), Instant::now());
        Ok(Hypervisor {
            domains,
            rules,
            rover,
            leaked: BTreeSet::new(),
            total_pages,
            vcpus: vcpu::Table::default(),
            foreign: foreign::Table::default(),
            frames: frames::Table::default(),
            ports: event_channel::Table::default(),
            params: hvm::Table::default(),
            console: Console::new(&config),
            watchdogs: sched::Watchdogs::default(),
            devices: pci::Devices::new(&config.pci),
            start,
            config,
        })
    }

    /// Whose behaviour it has.
    pub fn release(&self) -> Release {
        self.config.version.release
    }

    /// Nanoseconds since its start, or zero for ever if its clock is frozen.
    pub fn now(&self) -> u64 {
        if self.config.frozen { 0 } else { self.start.elapsed().as_nanos() as u64 }
    }

    /// Memory that no domain has, in pages.
    pub fn free_pages(&self) -> u64 {
        self.total_pages.saturating_sub(self.domains.pages())
    }

    /// The check that only the control domain passes, where Flask's policy allows it.
    pub fn privileged(&self, kind: Kind) -> Ret<()> {
        match (self.config.privileged, self.config.flask.contains(&kind)) {
            (false, _) => Err(libc::EPERM),
            (_, true) => Err(libc::EACCES),
            _ => Ok(()),
        }
    }

    /// The same check for an operation that any domain can apply to itself.
    pub fn privileged_over(&self, kind: Kind, domid: u16) -> Ret<()> {
        match self.config.flask.contains(&kind) {
            false if domid == CALLER => Ok(()),
            _ => self.privileged(kind),
        }
    }

    /// The place of a domain that an operation named which any domain can apply to itself.
    pub fn find_any(&self, domid: u16) -> Ret<usize> {
        let domid = if domid == DOMID_SELF { CALLER } else { domid };
        self.domains.find(domid).ok_or(libc::ESRCH)
    }

    /// Destroys a domain. It stays, dying, while pages of it are mapped.
    pub fn destroy(&mut self, place: usize) {
        let domid = self.domains.domid(place);
        self.forget_ports(place);
        self.devices.forget(domid);
        match self.foreign.mapped(domid) {
            0 => self.remove(place),
            pages => {
                let now = self.now();
                self.domains.update(place, now, |record, state| {
                    state.dying = true;
                    record.tot_pages = pages.min(record.tot_pages);
                });
                self.foreign.hold(domid);
            }
        }
    }

    /// Removes the domains that were destroyed and that nothing holds any more.
    fn reap(&mut self) {
        for domid in self.foreign.released() {
            if let Some(place) = self.domains.find(domid) {
                self.remove(place);
            }
        }
    }

    fn remove(&mut self, place: usize) {
        let domid = self.domains.domid(place);
        self.params.forget(domid);
        self.vcpus.forget(domid);
        self.frames.forget(domid);
        self.foreign.forget(domid);
        self.domains.remove(place);
    }

    /// Lets guests appear, as far as there are domids and memory.
    pub fn grow(&mut self) {
        for _ in 0..self.config.grow {
            if self.domains.len() as u32 >= MAX_DOMAINS {
                return;
            }
            let Some(domid) = domctl::next_free(self) else { return };
            let (record, state) = population::guest(&self.config, domid);
            self.rover = domid;
            let now = self.now();
            self.domains.insert(record, state, now);
            // They bring their memory along: a count is to change here, not the host to fill up.
            self.total_pages = self.total_pages.max(self.domains.pages());
        }
    }
}

/// The one hypervisor of the process, and its lock, which like Xen's every operation takes.
static HYPERVISOR: Mutex<Option<Hypervisor>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Hypervisor>> {
    HYPERVISOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hypervisor, locked. There is one.
pub struct Locked(MutexGuard<'static, Option<Hypervisor>>);

impl Deref for Locked {
    type Target = Hypervisor;
    fn deref(&self) -> &Hypervisor {
        self.0.as_ref().expect("checked by enter")
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut Hypervisor {
        self.0.as_mut().expect("checked by enter")
    }
}

/// Enters the hypervisor for a call of these kinds: after the time and with the error that the
/// configuration orders for it.
pub fn enter(kinds: &[Kind]) -> Ret<Locked> {
    let mut hypervisor = lock();
    let rules = &mut hypervisor.as_mut().ok_or(libc::ENODEV)?.rules;
    let (delay, fault) = rules.apply(kinds);
    if !delay.is_zero() {
        // Others may call in the meantime.
        drop(hypervisor);
        std::thread::sleep(delay);
        hypervisor = lock();
    }
    match fault {
        Some(errno) => Err(errno),
        None => {
            let inside = hypervisor.as_mut().ok_or(libc::ENODEV)?;
            if inside.foreign.holds() {
                inside.reap();
            }
            Ok(Locked(hypervisor))
        }
    }
}

/// Makes a hypercall.
pub fn hypercall(number: u32, args: [u64; 5]) -> Ret {
    counters::count(Kind::HYPERCALLS);
    if number == HYPERVISOR_MULTICALL { multicall(args[0], args[1]) } else { one(number, args) }
}

/// Hypercalls one after the other, each with an answer of its own. Those of libxenctrl that give a
/// long come so.
fn multicall(addr: u64, count: u64) -> Ret {
    let kind = Kind::hypercall(HYPERVISOR_MULTICALL);
    counters::count(kind);
    drop(enter(&[kind])?);
    let count = u64::from(count as u32);
    guest::check_array(addr, count, size_of::<MulticallEntry>())?;
    for i in 0..count {
        let addr = addr + i * size_of::<MulticallEntry>() as u64;
        let mut entry: MulticallEntry = guest::read(addr)?;
        let [a, b, c, d, e, _] = entry.args;
        let result = match entry.op {
            op if op == HYPERVISOR_MULTICALL.into() => Err(libc::ENOSYS),
            op => one(op as u32, [a, b, c, d, e]),
        };
        entry.result = result.unwrap_or_else(|errno| -i64::from(errno)) as u64;
        guest::write(addr, &entry)?;
    }
    Ok(0)
}

fn one(number: u32, args: [u64; 5]) -> Ret {
    let kind = Kind::hypercall(number);
    counters::count(kind);
    match number {
        abi::HYPERVISOR_XEN_VERSION => version::call(args[0], args[1]),
        abi::HYPERVISOR_SCHED_OP => sched::call(args[0], args[1]),
        abi::HYPERVISOR_SYSCTL => sysctl::call(args[0]),
        abi::HYPERVISOR_DOMCTL => domctl::call(args[0]),
        abi::HYPERVISOR_MEMORY_OP => memory::call(args[0], args[1]),
        abi::HYPERVISOR_EVENT_CHANNEL_OP => event_channel::call(args[0], args[1]),
        abi::HYPERVISOR_HVM_OP => hvm::call(args[0], args[1]),
        _ => {
            enter(&[Kind::HYPERCALLS, kind])?;
            Err(libc::ENOSYS)
        }
    }
}

/// Replaces the hypervisor of the process by a new one, or says what is wrong with `spec`.
pub fn configure(spec: &str) -> Result<(), String> {
    let hypervisor = Hypervisor::new(Config::parse(spec)?)?;
    install(&mut lock(), hypervisor);
    Ok(())
}

fn install(place: &mut Option<Hypervisor>, hypervisor: Hypervisor) {
    guest::set_strict(hypervisor.config.strict);
    *place = Some(hypervisor);
    crate::control::has_hypervisor();
}

/// Sees to it that there is a hypervisor: unless there is one, the one that the variable `XENSIM`
/// describes.
pub fn ensure() -> Result<(), String> {
    let mut hypervisor = lock();
    if hypervisor.is_none() {
        let spec = std::env::var("XENSIM").unwrap_or_default();
        install(&mut hypervisor, Hypervisor::new(Config::parse(&spec)?)?);
    }
    Ok(())
}

/// Where the counters go at exit.
pub fn report() -> Report {
    lock().as_ref().map_or(Report::None, |hypervisor| hypervisor.config.report.clone())
}

thread_local! {
    static HELD: RefCell<Option<MutexGuard<'static, Option<Hypervisor>>>> =
        const { RefCell::new(None) };
}

/// Before a fork: nobody is inside the hypervisor, so that the child gets a whole one.
pub fn before_fork() {
    let guard = lock();
    HELD.with(|held| held.replace(Some(guard)));
    buffer::before_fork();
}

/// After a fork, in the parent.
pub fn after_fork_in_parent() {
    buffer::after_fork_in_parent();
    HELD.with(std::cell::RefCell::take);
}

/// After a fork, in the child, which goes on with a copy of the hypervisor.
pub fn after_fork_in_child() {
    buffer::after_fork_in_child();
    HELD.with(std::cell::RefCell::take);
}
