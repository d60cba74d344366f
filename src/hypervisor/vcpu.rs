//! A domain's vCPUs.

#![allow(unsafe_code)]

use super::{
    Error, Result, Xen,
    buffer::{Purpose, collected},
};
use crate::abi::domctl::{
    self, Bitmap, DomctlUnion, VCPU_CONTEXT_SIZE, VcpuAffinity, VcpuContext, VcpuInfo,
};

impl Xen {
    /// What the hypervisor says of a vCPU. Hypercall: `XEN_DOMCTL_getvcpuinfo`.
    pub fn vcpu_info(&self, domid: u16, vcpu: u32) -> Result<VcpuInfo> {
        let mut u = DomctlUnion::NONE;
        u.getvcpuinfo.vcpu = vcpu;
        let answer = self.domctl(domctl::GETVCPUINFO, domid, u)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.getvcpuinfo })
    }

    /// Sets on which pCPUs a vCPU may run, one flag each; pCPUs that are not given are not
    /// allowed. Hypercalls: `XEN_DOMCTL_setvcpuaffinity`; [`most_cpus`](Xen::most_cpus).
    pub fn vcpu_set_affinity(&self, domid: u16, vcpu: u32, allowed: &[bool]) -> Result<()> {
        let most = self.most_cpus()?;
        if allowed.len() > most as usize {
            return Err(Error::TooManyCpus { given: allowed.len(), most });
        }
        let mut bits = collected(std::iter::repeat_n(0, bytes_of(most)))?;
        for (cpu, _) in allowed.iter().enumerate().filter(|&(_, &is)| is) {
            bits[cpu / 8] |= 1 << (cpu % 8);
        }
        self.affinity(domctl::SETVCPUAFFINITY, domid, vcpu, &mut bits, most)
    }

    /// On which pCPUs a vCPU may run, one flag for each that there can be. Hypercalls:
    /// `XEN_DOMCTL_getvcpuaffinity`; [`most_cpus`](Xen::most_cpus).
    pub fn vcpu_affinity(&self, domid: u16, vcpu: u32) -> Result<Vec<bool>> {
        let most = self.most_cpus()?;
        let mut bits = collected(std::iter::repeat_n(0, bytes_of(most)))?;
        self.affinity(domctl::GETVCPUAFFINITY, domid, vcpu, &mut bits, most)?;
        let is_allowed = |cpu| bits[cpu / 8] >> (cpu % 8) & 1 == 1;
        Ok(collected((0..most as usize).map(is_allowed))?)
    }

    /// Makes either operation with `bits`, of which `most` count, and reads them back.
    fn affinity(&self, cmd: u32, domid: u16, vcpu: u32, bits: &mut [u8], most: u32) -> Result<()> {
        let mut lease = self.lease(Purpose::Argument)?;
        lease.reserve(bits.len())?;
        let mut u = DomctlUnion::NONE;
        u.vcpuaffinity = VcpuAffinity {
            vcpu,
            flags: domctl::VCPUAFFINITY_HARD,
            cpumap_hard: Bitmap { bitmap: lease.put_data(bits), nr_bits: most, pad: 0 },
            cpumap_soft: Bitmap::default(),
        };
        self.domctl_in(&mut lease, cmd, domid, u)?;
        bits.copy_from_slice(lease.records(bits.len()));
        Ok(())
    }

    /// The registers of a vCPU: a `vcpu_guest_context_t`, followed by zeroes where the guest is
    /// PV and of 32 bits. Hypercall: `XEN_DOMCTL_getvcpucontext`.
    pub fn vcpu_context(&self, domid: u16, vcpu: u32) -> Result<[u8; VCPU_CONTEXT_SIZE]> {
        let mut lease = self.lease(Purpose::Argument)?;
        lease.reserve(VCPU_CONTEXT_SIZE)?;
        let mut u = DomctlUnion::NONE;
        u.vcpucontext = VcpuContext { vcpu, pad: 0, ctxt: lease.clear_data(VCPU_CONTEXT_SIZE) };
        self.domctl_in(&mut lease, domctl::GETVCPUCONTEXT, domid, u)?;
        Ok(lease.records(1)[0])
    }

    /// Sets the registers of a vCPU. Hypercall: `XEN_DOMCTL_setvcpucontext`.
    pub(super) fn vcpu_set_context(
        &self,
        domid: u16,
        vcpu: u32,
        context: &[u8; VCPU_CONTEXT_SIZE],
    ) -> Result<()> {
        let mut lease = self.lease(Purpose::Argument)?;
        lease.reserve(VCPU_CONTEXT_SIZE)?;
        let mut u = DomctlUnion::NONE;
        u.vcpucontext = VcpuContext { vcpu, pad: 0, ctxt: lease.put_data(context) };
        self.domctl_in(&mut lease, domctl::SETVCPUCONTEXT, domid, u).map(drop)
    }
}

fn bytes_of(bits: u32) -> usize {
    bits.div_ceil(8) as usize
}
