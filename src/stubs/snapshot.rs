//! `Xenctrl_domains.Snapshot`.
//!
//! Its accessors take a domain's number. Most are for externals with `[@@noalloc]`, and give -1
//! where there is no such domain, which the module makes an exception.

use super::Handle;
use crate::{
    abi::domctl::{self, DomainInfo},
    hypervisor::{Snapshot, SnapshotDomain, Wanted},
};
use runtime::{
    CustomOperations, Exception, Held, Lasting, export, export_noalloc, export_unboxed, ints,
    unlocked,
};
use std::sync::Arc;

impl Lasting for Snapshot {
    const OPERATIONS: &'static CustomOperations =
        &Held::<Snapshot>::operations(c"xenctrl.snapshot");
}

ints! {
    /// A domain's number.
    struct Index(i64) = "domain";
}

export! {
    /// `take : handle -> t`
    ///
    /// Hypercall: `XEN_SYSCTL_getdomaininfolist`.
    fn stub_xenctrl_snapshot_take(handle: Handle) -> Held<Snapshot> {
        let snapshot = unlocked(|| {
            let snapshot = Snapshot::empty()?;
            let turn = snapshot.turn();
            snapshot.replace(turn, &handle.domain_list(0, Wanted::All)?).map(|()| snapshot)
        })?;
        Ok(Held(Arc::new(snapshot)))
    }

    /// `retake : handle -> t -> unit`
    ///
    /// Hypercall: `XEN_SYSCTL_getdomaininfolist`.
    fn stub_xenctrl_snapshot_retake(handle: Handle, snapshot: Held<Snapshot>) -> () {
        let turn = snapshot.0.turn();
        let list = unlocked(|| handle.domain_list(0, Wanted::All))?;
        // With the runtime lock held, without which OCaml forks no process.
        Ok(snapshot.0.replace(turn, &list)?)
    }

    /// `free : t -> unit`
    ///
    /// Hypercalls: none.
    fn stub_xenctrl_snapshot_free(snapshot: Held<Snapshot>) -> () {
        Ok(snapshot.0.free()?)
    }

    /// `domaininfo : t -> int -> domaininfo`; `Invalid_argument` if there is no such domain
    ///
    /// Hypercalls: none.
    fn stub_xenctrl_snapshot_domaininfo(snapshot: Held<Snapshot>, index: Index) -> DomainInfo {
        Ok(domain(&snapshot.0, index.0)?.info())
    }

    /// `uuid : t -> int -> string`, 16 bytes; `Invalid_argument` if there is no such domain
    ///
    /// Hypercalls: none.
    fn stub_xenctrl_snapshot_uuid(snapshot: Held<Snapshot>, index: Index) -> Vec<u8> {
        Ok(domain(&snapshot.0, index.0)?.handle().to_vec())
    }
}

export_noalloc! {
    /// `length : t -> int`; -1 after it was freed
    fn stub_xenctrl_snapshot_length, stub_xenctrl_snapshot_length_byte(
        snapshot: &Snapshot,
    ) {
        snapshot.length().map(|length| length as u64)
    }

    /// `find : t -> domid -> int`; -1 if there is none of that domid
    fn stub_xenctrl_snapshot_find, stub_xenctrl_snapshot_find_byte(
        snapshot: &Snapshot,
        domid: i64,
    ) {
        snapshot.find(domid).map(|index| index as u64)
    }

    /// `last_with_uuid : t -> string -> int -> int`: of the domains before that number; -1 if none
    /// has that UUID
    fn stub_xenctrl_snapshot_last_with_uuid, stub_xenctrl_snapshot_last_with_uuid_byte(
        snapshot: &Snapshot,
        uuid: Option<[u8; 16]>,
        limit: i64,
    ) {
        snapshot.last_with_handle(uuid?, limit).map(|index| index as u64)
    }

    /// `has_uuid : t -> int -> string -> int`: 0 or 1
    fn stub_xenctrl_snapshot_has_uuid, stub_xenctrl_snapshot_has_uuid_byte(
        snapshot: &Snapshot,
        index: i64,
        uuid: Option<[u8; 16]>,
    ) {
        snapshot.get(index).map(|domain| u64::from(uuid == Some(domain.handle())))
    }

    /// `same_uuid : t -> int -> t -> int -> int`: 0 or 1
    fn stub_xenctrl_snapshot_same_uuid, stub_xenctrl_snapshot_same_uuid_byte(
        one: &Snapshot,
        index: i64,
        other: &Snapshot,
        other_index: i64,
    ) {
        let (one, other) = (one.get(index)?, other.get(other_index)?);
        Some(u64::from(one.handle() == other.handle()))
    }

    /// `emulates : t -> int -> x86_arch_emulation_flags -> int`: 0 or 1
    fn stub_xenctrl_snapshot_emulates, stub_xenctrl_snapshot_emulates_byte(
        snapshot: &Snapshot,
        index: i64,
        flag: i64,
    ) {
        snapshot.get(index).map(|domain| bit(domain.emulation_flags(), flag))
    }

    /// `has_misc_flag : t -> int -> x86_arch_misc_flags -> int`: 0 or 1
    fn stub_xenctrl_snapshot_has_misc_flag, stub_xenctrl_snapshot_has_misc_flag_byte(
        snapshot: &Snapshot,
        index: i64,
        flag: i64,
    ) {
        snapshot.get(index).map(|domain| bit(domain.misc_flags(), flag))
    }
}

export_unboxed! {
    /// `shared_info_frame : t -> int -> int64`
    fn stub_xenctrl_snapshot_shared_info_frame, stub_xenctrl_snapshot_shared_info_frame_byte(
        snapshot: &Snapshot,
        index: i64,
    ) -> i64 {
        Ok(domain(snapshot, index)?.shared_info_frame() as i64)
    }

    /// `cpu_time : t -> int -> int64`
    fn stub_xenctrl_snapshot_cpu_time, stub_xenctrl_snapshot_cpu_time_byte(
        snapshot: &Snapshot,
        index: i64,
    ) -> i64 {
        Ok(domain(snapshot, index)?.cpu_time() as i64)
    }
}

/// The domain of a number; `Invalid_argument` if there is none.
fn domain(snapshot: &Snapshot, index: i64) -> Result<SnapshotDomain<'_>, Exception> {
    snapshot.get(index).ok_or_else(|| {
        Exception::Invalid(match snapshot.length() {
            Some(length) => format!(
                "Xenctrl_domains.Snapshot: number {index}, where there are {length}, from 0 on; \
                 Snapshot.index gives a domid's"
            ),
            None => "Xenctrl_domains.Snapshot: it was freed".to_owned(),
        })
    })
}

/// 0 or 1.
fn bit(bits: u32, number: i64) -> u64 {
    u64::from(u32::try_from(number).ok().and_then(|n| bits.checked_shr(n)).unwrap_or(0) & 1)
}

/// `FIELD : t -> int -> int`
macro_rules! accessors {
    ($($name:ident, $bytecode:ident = $read:expr;)*) => {
        export_noalloc! {$(
            #[doc = concat!("`", stringify!($name), " : t -> int -> int`")]
            fn $name, $bytecode(snapshot: &Snapshot, index: i64) {
                snapshot.get(index).map($read)
            }
        )*}
    };
}

/// 0 or 1, for a flag of `flags`.
macro_rules! flag {
    ($bit:ident) => {
        |domain| u64::from(domain.flags() & domctl::$bit != 0)
    };
}

accessors! {
    stub_xenctrl_snapshot_domid, stub_xenctrl_snapshot_domid_byte =
        |domain| domain.domain().into();
    stub_xenctrl_snapshot_dying, stub_xenctrl_snapshot_dying_byte = flag!(DOMINF_DYING);
    stub_xenctrl_snapshot_shutdown, stub_xenctrl_snapshot_shutdown_byte = flag!(DOMINF_SHUTDOWN);
    stub_xenctrl_snapshot_paused, stub_xenctrl_snapshot_paused_byte = flag!(DOMINF_PAUSED);
    stub_xenctrl_snapshot_blocked, stub_xenctrl_snapshot_blocked_byte = flag!(DOMINF_BLOCKED);
    stub_xenctrl_snapshot_running, stub_xenctrl_snapshot_running_byte = flag!(DOMINF_RUNNING);
    stub_xenctrl_snapshot_hvm_guest, stub_xenctrl_snapshot_hvm_guest_byte =
        flag!(DOMINF_HVM_GUEST);
    stub_xenctrl_snapshot_debugged, stub_xenctrl_snapshot_debugged_byte = flag!(DOMINF_DEBUGGED);
    stub_xenctrl_snapshot_xs_domain, stub_xenctrl_snapshot_xs_domain_byte =
        flag!(DOMINF_XS_DOMAIN);
    stub_xenctrl_snapshot_hap, stub_xenctrl_snapshot_hap_byte = flag!(DOMINF_HAP);
    stub_xenctrl_snapshot_shutdown_code, stub_xenctrl_snapshot_shutdown_code_byte =
        |domain| u64::from(domctl::shutdown_code(domain.flags()));
    stub_xenctrl_snapshot_total_memory_pages, stub_xenctrl_snapshot_total_memory_pages_byte =
        SnapshotDomain::tot_pages;
    stub_xenctrl_snapshot_max_memory_pages, stub_xenctrl_snapshot_max_memory_pages_byte =
        SnapshotDomain::max_pages;
    stub_xenctrl_snapshot_outstanding_pages, stub_xenctrl_snapshot_outstanding_pages_byte =
        SnapshotDomain::outstanding_pages;
    stub_xenctrl_snapshot_shared_pages, stub_xenctrl_snapshot_shared_pages_byte =
        SnapshotDomain::shr_pages;
    stub_xenctrl_snapshot_paged_pages, stub_xenctrl_snapshot_paged_pages_byte =
        SnapshotDomain::paged_pages;
    stub_xenctrl_snapshot_nr_online_vcpus, stub_xenctrl_snapshot_nr_online_vcpus_byte =
        |domain| domain.nr_online_vcpus().into();
    stub_xenctrl_snapshot_max_vcpu_id, stub_xenctrl_snapshot_max_vcpu_id_byte =
        |domain| domain.max_vcpu_id().into();
    stub_xenctrl_snapshot_ssidref, stub_xenctrl_snapshot_ssidref_byte =
        |domain| domain.ssidref().into();
    stub_xenctrl_snapshot_cpupool, stub_xenctrl_snapshot_cpupool_byte =
        |domain| domain.cpupool().into();
    stub_xenctrl_snapshot_gpaddr_bits, stub_xenctrl_snapshot_gpaddr_bits_byte =
        |domain| domain.gpaddr_bits().into();
}
