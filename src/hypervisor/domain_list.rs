//! The domain list: one answer by one hypercall.

#![allow(unsafe_code)]

use super::{Errno, Error, Result, Xen, buffer::Purpose, call::Lease};
use crate::abi::{
    DOMID_FIRST_RESERVED, DomainHandle,
    domctl::DomainInfo,
    sysctl::{self, GetDomainInfoList, SysctlUnion},
};

/// How much of the list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every domain.
    All,
    /// At most so many. Two answers of this kind do not make a list: domains come and go between.
    AtMost(u32),
}

/// Domains as the hypervisor wrote them, ascending by domid, in the buffer where it wrote them.
pub struct DomainList<'x> {
    lease: Lease<'x>,
    count: usize,
}

impl DomainList<'_> {
    /// The records.
    pub fn records(&self) -> &[DomainInfo] {
        self.lease.records(self.count)
    }
}

/// Domains that were looked for. There is mostly one, which then costs no allocation.
#[derive(Debug, Default)]
pub struct Matches {
    greatest: Option<DomainInfo>,
    others: Vec<DomainInfo>,
}

impl Matches {
    /// One domain.
    pub fn one(domain: DomainInfo) -> Matches {
        Matches { greatest: Some(domain), others: Vec::new() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        usize::from(self.greatest.is_some()) + self.others.len()
    }

    /// The greatest domid first.
    pub fn descending(&self) -> impl Iterator<Item = &DomainInfo> {
        self.greatest.iter().chain(&self.others)
    }
}

impl Xen {
    /// The domains from `first` on, by one `XEN_SYSCTL_getdomaininfolist`.
    pub fn domain_list(&self, first: u16, wanted: Wanted) -> Result<DomainList<'_>> {
        let list = self.fetch(first, wanted)?;
        let records = list.records();
        let in_order = records.first().is_none_or(|domain| domain.domain >= first)
            && records.is_sorted_by(|a, b| a.domain < b.domain);
        if in_order { Ok(list) } else { Err(Error::Disorder) }
    }

    /// The answer as it came.
    ///
    /// Where the domains fill the buffer it is exchanged for a larger one, once and for the handle's
    /// life, and the list is asked for again from its first domain: between two hypercalls
    /// domains come and go, so partial answers are never joined.
    fn fetch(&self, first: u16, wanted: Wanted) -> Result<DomainList<'_>> {
        /// Bytes of the longest list.
        const LONGEST: usize = DOMID_FIRST_RESERVED as usize * size_of::<DomainInfo>();

        let mut lease = self.lease(match wanted {
            Wanted::All => Purpose::Records,
            Wanted::AtMost(_) => Purpose::Argument,
        })?;
        loop {
            let room = (lease.capacity() / size_of::<DomainInfo>())
                .min(usize::from(DOMID_FIRST_RESERVED)) as u32;
            let asked = match wanted {
                Wanted::All => room,
                Wanted::AtMost(limit) => room.min(limit),
            };
            let mut u = SysctlUnion::NONE;
            u.getdomaininfolist = GetDomainInfoList {
                first_domain: first,
                max_domains: asked,
                buffer: lease.data(),
                ..GetDomainInfoList::default()
            };
            let answer = self.sysctl(&mut lease, sysctl::GETDOMAININFOLIST, u)?;
            // SAFETY: every member of the union is plain integers.
            let reported = unsafe { answer.u.getdomaininfolist }.num_domains;
            if reported > asked {
                return Err(Error::Overrun { what: "domains", reported, asked });
            }
            let complete = reported < asked
                || wanted == Wanted::AtMost(asked)
                || room == u32::from(DOMID_FIRST_RESERVED);
            if complete {
                return Ok(DomainList { lease, count: reported as usize });
            }
            lease.grow(LONGEST)?;
        }
    }

    /// The domains whose handle is `handle`, by one `XEN_SYSCTL_getdomaininfolist`.
    pub fn domains_with_handle(&self, handle: DomainHandle) -> Result<Matches> {
        // The last word alone is mostly enough. It is aligned, so that it never costs two cache
        // lines, and no vectors are made of it, which are slow where they are emulated. What the
        // hypervisor wrote last is nearest.
        let last = |handle: &DomainHandle| u32::from_ne_bytes([12, 13, 14, 15].map(|i| handle[i]));
        let wanted = last(&handle);
        let list = self.fetch(0, Wanted::All)?;
        let (mut greatest, mut others) = (None, Vec::new());
        for domain in list.records().iter().rev() {
            if last(&domain.handle) != wanted || domain.handle != handle {
                continue;
            }
            if greatest.is_none() {
                greatest = Some(*domain);
            } else {
                others.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                others.push(*domain);
            }
        }
        let matches = Matches { greatest, others };
        let domids = matches.descending().map(|domain| domain.domain);
        if domids.is_sorted_by(|a, b| a > b) { Ok(matches) } else { Err(Error::Disorder) }
    }
}
