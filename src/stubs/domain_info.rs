//! What the hypervisor says of domains.

use super::{Domid, Handle, uuid::UuidBytes};
use crate::{
    abi::domctl::{self, DomainInfo},
    hypervisor::{DomainList, Matches, Wanted},
};
use runtime::{
    Argument, Build, Carver, Element, Exception, Field, IntoValue, Lock, RawValue, Shared, Val,
    export, int, list, unlocked,
};

/// The record `domaininfo`. With `SHARED_SSIDREF` its ssidref must be zero.
struct Record<const SHARED_SSIDREF: bool>;

/// What records share: the box of an `ssidref` of zero, and the `arch_config` of the last index.
struct Common<'c> {
    ssidref: Option<Field<'c>>,
    arch_config: (usize, Field<'c>),
}

impl<const SHARED_SSIDREF: bool> Element<&DomainInfo> for Record<SHARED_SSIDREF> {
    /// Of the record, its handle and its boxed numbers.
    const WORDS: usize = (1 + 17) + (1 + 16) + if SHARED_SSIDREF { 4 } else { 5 } * Carver::BOXED;

    type Shared<'c> = Common<'c>;

    #[inline(always)]
    fn shared<'c>(carver: &Carver<'c>) -> Common<'c> {
        Common {
            ssidref: SHARED_SSIDREF.then(|| SSIDREF_ZERO.get(carver, 0)),
            arch_config: (usize::MAX, Field::int(0)),
        }
    }

    #[inline(always)]
    fn carve<'c>(carver: &mut Carver<'c>, shared: &mut Common<'c>, info: &DomainInfo) -> Field<'c> {
        let flag = |bit| Field::bool(info.flags & bit != 0);
        let index = arch_config_index(info);
        if shared.arch_config.0 != index {
            shared.arch_config = (index, ARCH_CONFIGS.get(carver, index));
        }
        let handle = carver.bytes(&info.handle);
        let fields = [
            Field::int(info.domain.into()),
            flag(domctl::DOMINF_DYING),
            flag(domctl::DOMINF_SHUTDOWN),
            flag(domctl::DOMINF_PAUSED),
            flag(domctl::DOMINF_BLOCKED),
            flag(domctl::DOMINF_RUNNING),
            flag(domctl::DOMINF_HVM_GUEST),
            Field::int(domctl::shutdown_code(info.flags).into()),
            carver.nativeint(info.tot_pages as i64),
            carver.nativeint(info.max_pages as i64),
            carver.int64(info.shared_info_frame as i64),
            carver.int64(info.cpu_time as i64),
            Field::int(info.nr_online_vcpus.into()),
            Field::int(info.max_vcpu_id.into()),
            match shared.ssidref {
                Some(zero) => zero,
                None => carver.int32(info.ssidref as i32),
            },
            handle,
            shared.arch_config.1,
        ];
        carver.tuple(fields)
    }
}

/// A record where there are few, of which it is not worth while to share more.
type Alone = Record<false>;

/// Every `arch_config` that has been seen. Domains have few different ones, and nothing in them
/// is mutable (unlike `handle`, which is an array and hence each record's own).
static ARCH_CONFIGS: Shared<{ (domctl::X86_EMU_ALL as usize + 1) * 2 }> = Shared::new();

/// The ssidref of every domain where there is no Flask policy.
static SSIDREF_ZERO: Shared<1> = Shared::new();

/// Flags that the OCaml types have no constructor for are left out.
#[inline]
fn arch_config_index(info: &DomainInfo) -> usize {
    let arch = info.arch_config;
    let (emulation, misc) =
        (arch.emulation_flags & domctl::X86_EMU_ALL, arch.misc_flags & domctl::X86_MISC_ALL);
    (emulation << 1 | misc) as usize
}

/// Sees to it that an `arch_config` can be shared.
#[inline]
fn ensure_arch_config(lock: &mut Lock, index: usize) {
    const X86: u8 = 1;
    ARCH_CONFIGS.ensure(lock, index, || {
        let index = u32::try_from(index).expect("it is a handful of flags");
        let (emulation, misc) = (index >> 1, index & 1);
        let flags = [Build::constructors(emulation), Build::constructors(misc)];
        Build::Block(X86, vec![Build::tuple(flags)])
    });
}

/// Sees to it that what these records share can be shared. Whether `ssidref` is.
#[inline]
fn ensure_shared(lock: &mut Lock, records: &[DomainInfo]) -> bool {
    let (mut ensured, mut ssidrefs) = (usize::MAX, 0);
    for info in records {
        ssidrefs |= info.ssidref;
        let index = arch_config_index(info);
        if index != ensured {
            ensure_arch_config(lock, index);
            ensured = index;
        }
    }
    if ssidrefs == 0 {
        SSIDREF_ZERO.ensure(lock, 0, || Build::Int32(0));
    }
    ssidrefs == 0
}

/// `domaininfo list`, in the reverse of the order of `records`.
#[inline(always)]
fn list_reversed<'r>(
    lock: &mut Lock,
    shared_ssidref: bool,
    count: usize,
    records: impl Iterator<Item = &'r DomainInfo>,
) -> RawValue {
    if shared_ssidref {
        list::<Record<true>, _>(lock, count, records)
    } else {
        list::<Record<false>, _>(lock, count, records)
    }
}

/// `domaininfo list`.
struct Listed<'h> {
    domains: DomainList<'h>,
    order: Order,
}

/// Which domid a list begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The smallest.
    Ascending,
    /// The largest, the order of upstream's stub.
    Descending,
}

impl IntoValue for Listed<'_> {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        let records = self.domains.records();
        let (count, shared_ssidref) = (records.len(), ensure_shared(lock, records));
        // A list is built from its end.
        match self.order {
            Order::Ascending => list_reversed(lock, shared_ssidref, count, records.iter().rev()),
            Order::Descending => list_reversed(lock, shared_ssidref, count, records.iter()),
        }
    }
}

/// As a list, the smallest domid first.
impl IntoValue for Matches {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        self.descending().for_each(|info| ensure_arch_config(lock, arch_config_index(info)));
        list::<Alone, _>(lock, self.count(), self.descending())
    }
}

/// Where a domain may be found.
pub struct Hint(Option<Domid>);

impl Argument for Hint {
    fn read(value: Val<'_>) -> Result<Hint, Exception> {
        value.option().map(Domid::read).transpose().map(Hint)
    }
}

/// How many domains are asked for.
pub struct Count(Wanted);

impl Argument for Count {
    fn read(value: Val<'_>) -> Result<Count, Exception> {
        Ok(Count(match int(value, "count")? {
            limit @ 0..=1 => Wanted::AtMost(limit),
            _ => Wanted::All,
        }))
    }
}

/// One record.
impl IntoValue for DomainInfo {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        ensure_arch_config(lock, arch_config_index(&self));
        lock.carve(Alone::WORDS, |carver| {
            let mut shared = Alone::shared(carver);
            Alone::carve(carver, &mut shared, &self)
        })
    }
}

export! {
    /// `_domain_getinfolist : handle -> domid -> int -> domaininfo list`
    ///
    /// Domains from the given domid on, the largest domid first. A count of 1 asks for exactly
    /// one domain. Any greater count gives every domain, by one hypercall, whatever its value:
    /// the modules that loop with chunks of 2 or 1024 then get the whole list in their first
    /// chunk.
    ///
    /// Hypercall: `XEN_SYSCTL_getdomaininfolist`.
    fn stub_xc_domain_getinfolist(handle: Handle, first: Domid, count: Count) -> Listed<'_> {
        let domains = unlocked(|| handle.domain_list(first.0, count.0))?;
        Ok(Listed { domains, order: Order::Descending })
    }

    /// `domain_getinfolist : handle -> domid -> domaininfo list`
    ///
    /// Every domain from the given domid on, the smallest domid first, by one hypercall. This
    /// project's own module calls it; upstream's call the one above.
    ///
    /// Hypercall: `XEN_SYSCTL_getdomaininfolist`.
    fn stub_xenctrl_domain_getinfolist(handle: Handle, first: Domid) -> Listed<'_> {
        let domains = unlocked(|| handle.domain_list(first.0, Wanted::All))?;
        Ok(Listed { domains, order: Order::Ascending })
    }

    /// `domain_getinfo : handle -> domid -> domaininfo`
    ///
    /// One domain. Raises `Error` with `ESRCH` where there is none.
    ///
    /// Hypercall: `XEN_DOMCTL_getdomaininfo`.
    fn stub_xc_domain_getinfo(handle: Handle, domid: Domid) -> DomainInfo {
        Ok(unlocked(|| handle.domain_info(domid.0))?)
    }

    /// `find_by_uuid : handle -> string -> domid option -> domaininfo list`, for
    /// `Xenctrl_domains`
    ///
    /// Every domain whose UUID is these 16 bytes, the smallest domid first. Where a hint is given
    /// and that domain has the UUID, it alone.
    ///
    /// Hypercall: `XEN_SYSCTL_getdomaininfolist`; with a hint `XEN_DOMCTL_getdomaininfo`, and the
    /// other only if that was wrong.
    fn stub_xenctrl_find_by_uuid(handle: Handle, uuid: UuidBytes, hint: Hint) -> Matches {
        Ok(unlocked(|| {
            if let Some(Domid(domid)) = hint.0 {
                // An error here is the scan's to report, if it is one there too.
                match handle.domain_info(domid) {
                    Ok(domain) if domain.handle == uuid.0 => return Ok(Matches::one(domain)),
                    _ => (),
                }
            }
            handle.domains_with_handle(uuid.0)
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::domctl::ArchDomainConfig;
    use runtime::stand_in::{Read, lock, read};

    fn built(info: DomainInfo) -> Vec<Read> {
        match read(info.into_value(&mut lock())) {
            Read::Block(0, fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_of_a_record_has_its_place() {
        let fields = built(DomainInfo {
            domain: 0x7FEF,
            // The highest byte is nobody's.
            flags: domctl::DOMINF_DYING | domctl::DOMINF_PAUSED | 0xAB << 16 | 0xCD << 24,
            tot_pages: 1 << 40,
            max_pages: u64::MAX,
            outstanding_pages: 91,
            shr_pages: 92,
            paged_pages: 93,
            shared_info_frame: 5,
            cpu_time: 6,
            nr_online_vcpus: 7,
            max_vcpu_id: domctl::INVALID_MAX_VCPU_ID,
            ssidref: u32::MAX,
            handle: std::array::from_fn(|i| 240 + i as u8),
            cpupool: 94,
            gpaddr_bits: 95,
            arch_config: ArchDomainConfig { emulation_flags: 0b101, misc_flags: 0 },
            ..DomainInfo::default()
        });
        let boxed = |field: &Read| match *field {
            Read::Boxed(_, n) => n,
            ref other => panic!("{other:?}"),
        };
        assert_eq!(fields.len(), 17);
        assert_eq!(fields[..8], [0x7FEF, 1, 0, 1, 0, 0, 0, 0xAB].map(Read::Int));
        assert_eq!([8, 9, 10, 11].map(|i| boxed(&fields[i])), [1 << 40, -1, 5, 6]);
        assert_eq!(fields[12..14], [7, 4_294_967_295].map(Read::Int));
        assert_eq!(boxed(&fields[14]), -1);
        assert_eq!(fields[15], Read::Block(0, (240..256).map(Read::Int).collect()));
        let cons = |n, tail| Read::Block(0, vec![Read::Int(n), tail]);
        let emulation = cons(2, cons(0, Read::Int(0)));
        let x86 = Read::Block(0, vec![emulation, Read::Int(0)]);
        assert_eq!(fields[16], Read::Block(1, vec![x86]));
    }

    #[test]
    fn each_flag_has_a_field_of_its_own() {
        let flags = [
            domctl::DOMINF_DYING,
            domctl::DOMINF_SHUTDOWN,
            domctl::DOMINF_PAUSED,
            domctl::DOMINF_BLOCKED,
            domctl::DOMINF_RUNNING,
            domctl::DOMINF_HVM_GUEST,
        ];
        for (i, flag) in flags.into_iter().enumerate() {
            let fields = built(DomainInfo { flags: flag, ..DomainInfo::default() });
            let set: Vec<_> = (1..7).filter(|&field| fields[field] == Read::Int(1)).collect();
            assert_eq!(set, [i + 1]);
        }
    }

    #[test]
    fn flags_without_a_constructor_are_left_out() {
        let arch_config = ArchDomainConfig { emulation_flags: u32::MAX, misc_flags: u32::MAX };
        let fields = built(DomainInfo { arch_config, ..DomainInfo::default() });
        let Read::Block(1, x86) = &fields[16] else { panic!("{fields:?}") };
        let Read::Block(0, lists) = &x86[0] else { panic!("{x86:?}") };
        let length = |mut list: &Read| {
            let mut length = 0;
            while let Read::Block(0, cell) = list {
                (length, list) = (length + 1, &cell[1]);
            }
            length
        };
        assert_eq!((length(&lists[0]), length(&lists[1])), (11, 1));
    }
}
