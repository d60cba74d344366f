//! The register state of vCPUs: `struct vcpu_guest_context` of a 64-bit guest.

use crate::abi::domctl::{DomainInfo, VCPU_CONTEXT_RAX as RAX, VCPU_CONTEXT_SIZE as VCPU_CONTEXT};
use crate::config::Config;
use crate::domain::State;
use crate::errno::Ret;
use crate::guest;
use crate::population::Random;

// Where its fields are (public/arch-x86/xen.h).
const FPU_END: usize = 512;
const FLAGS: usize = 512;
const REGS: usize = 520;
const RIP: usize = 648;
const CS: usize = 656;
const RFLAGS: usize = 664;
const RSP: usize = 672;
const SS: usize = 680;
const SEGMENTS: [usize; 6] = [CS, SS, 688, 696, 704, 712];
const TRAPS: usize = 720;
const LDT_BASE: usize = 4816;
const LDT_ENTS: usize = 4824;
const GDT_FRAMES: usize = 4832;
const GDT_ENTS: usize = 4960;
const KERNEL_SP: usize = 4976;
const CTRLREG: usize = 4984;
const DEBUGREG: usize = 5048;
const EVENT_CALLBACK: usize = 5112;
const FAILSAFE_CALLBACK: usize = 5120;
const SYSCALL_CALLBACK: usize = 5128;
const VM_ASSIST: usize = 5136;
const FS_BASE: usize = 5144;
const GS_BASE_KERNEL: usize = 5152;
const GS_BASE_USER: usize = 5160;

// VGCF_* (public/arch-x86/xen.h).
const I387_VALID: u64 = 1 << 0;
const IN_KERNEL: u64 = 1 << 2;
const ONLINE: u64 = 1 << 5;

/// A vCPU's registers.
#[derive(Clone, Debug)]
pub struct Context([u8; VCPU_CONTEXT]);

impl Context {
    /// As the hypercall gives it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it says that the vCPU is online.
    pub fn is_online(&self) -> bool {
        self.get(FLAGS) & ONLINE != 0
    }

    fn get(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.0[at..at + 8]);
        u64::from_le_bytes(word)
    }

    fn set(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn copy(&mut self, from: &Context, range: std::ops::Range<usize>) {
        self.0[range.clone()].copy_from_slice(&from.0[range]);
    }
}

/// Copies a context from the caller.
pub fn read(addr: u64) -> Ret<Context> {
    let mut context = Context([0; VCPU_CONTEXT]);
    context.0.copy_from_slice(&guest::read_bytes(addr, VCPU_CONTEXT)?);
    Ok(context)
}

/// What a vCPU of a guest that runs Linux may have: different for each, the same each time.
pub fn initial(config: &Config, record: &DomainInfo, state: &State, vcpu: u32) -> Box<Context> {
    let mut context = Box::new(Context([0; VCPU_CONTEXT]));
    let seed = config.seed ^ u64::from(record.domain) << 32 ^ u64::from(vcpu) << 48;
    let mut random = Random(seed);
    if record.nr_online_vcpus == 0 || vcpu >= record.nr_online_vcpus {
        return context;
    }
    for register in 0..15 {
        context.set(REGS + register * 8, random.number() >> 20);
    }
    // It halts, yields or has asked for its shutdown; so far that has answered 0.
    context.set(RAX, 0);
    context.set(RIP, 0xFFFF_FFFF_8100_0000 | random.number() & 0xF_FFFF);
    context.set(RFLAGS, 0x246);
    context.set(RSP, 0xFFFF_C900_0000_0000 | random.number() & 0xFFF_FFF8);
    context.set(CTRLREG, 0x8005_0033);
    context.set(CTRLREG + 3 * 8, 0x1000 * (1 + random.number() % record.tot_pages.max(1)));
    context.set(CTRLREG + 4 * 8, if state.hvm { 0x0036_06F0 } else { 0x0004_0660 });
    context.set(DEBUGREG + 6 * 8, 0xFFFF_0FF0);
    context.set(DEBUGREG + 7 * 8, 0x400);
    context.set(CS, if state.hvm { 0x10 } else { 0xE033 });
    context.set(SS, if state.hvm { 0x18 } else { 0xE02B });
    context.set(FLAGS, I387_VALID | IN_KERNEL | ONLINE);
    context.set(GS_BASE_KERNEL, 0xFFFF_8880_0000_0000 | u64::from(vcpu) << 16);
    if !state.hvm {
        context.set(KERNEL_SP, 0xFFFF_C900_0000_4000);
        context.set(EVENT_CALLBACK, 0xFFFF_FFFF_8180_1000);
        context.set(FAILSAFE_CALLBACK, 0xFFFF_FFFF_8180_2000);
        context.set(SYSCALL_CALLBACK, 0xFFFF_FFFF_8180_3000);
        context.set(VM_ASSIST, 0x28);
    }
    context
}

/// What the hypervisor tells of a context.
pub fn answer(kept: &Context, hvm: bool, online: bool) -> Context {
    let mut context = kept.clone();
    let bit = |set: bool, bit: u64| if set { bit } else { 0 };
    let keep = if hvm { I387_VALID } else { !ONLINE };
    context.set(FLAGS, kept.get(FLAGS) & keep | bit(online, ONLINE));
    context
}

fn is_canonical(addr: u64) -> bool {
    (addr as i64) << 16 >> 16 == addr as i64
}

/// What becomes of a context that is set, or why it cannot be.
pub fn accept(
    given: &Context,
    kept: &Context,
    hvm: bool,
    initialised: bool,
    owned: impl Fn(u64) -> bool,
) -> Ret<Context> {
    let wide = |at: usize| given.get(at) > u32::MAX.into();
    if wide(DEBUGREG + 6 * 8) || wide(DEBUGREG + 7 * 8) {
        return Err(libc::EINVAL);
    }
    let mut new = kept.clone();
    if given.get(FLAGS) & I387_VALID != 0 {
        new.copy(given, 0..FPU_END);
    } else {
        new.0[..FPU_END].fill(0);
    }
    if hvm {
        // Other registers of such guests have a hypercall of their own.
        let segments = SEGMENTS.map(|at| (at, new.get(at)));
        new.copy(given, REGS..TRAPS);
        for (at, value) in segments {
            new.set(at, value);
        }
        new.copy(given, DEBUGREG..DEBUGREG + 64);
        new.copy(given, VM_ASSIST..VM_ASSIST + 8);
        new.set(FLAGS, given.get(FLAGS));
        return Ok(new);
    }
    check_pv(given)?;
    let same = |range: std::ops::Range<usize>| given.0[range.clone()] == kept.0[range];
    if initialised {
        let frames = (given.get(GDT_ENTS).div_ceil(512) * 8) as usize;
        let tables = same(CTRLREG + 8..CTRLREG + 16)
            && same(CTRLREG + 24..CTRLREG + 32)
            && same(GDT_ENTS..GDT_ENTS + 8)
            && same(GDT_FRAMES..GDT_FRAMES + frames)
            && same(LDT_BASE..LDT_ENTS + 8);
        if !tables {
            return Err(libc::EOPNOTSUPP);
        }
    } else {
        if given.get(FLAGS) & IN_KERNEL == 0 && given.get(CTRLREG + 8) == 0 {
            return Err(libc::EINVAL);
        }
        let cr3 = given.get(CTRLREG + 24);
        if !owned(cr3.rotate_right(12)) {
            return Err(libc::EINVAL);
        }
    }
    new.copy(given, FLAGS..VCPU_CONTEXT);
    // Interrupts are the hypervisor's.
    new.set(RFLAGS, new.get(RFLAGS) | 0x200);
    Ok(new)
}

/// What a PV guest's registers must not be.
fn check_pv(given: &Context) -> Ret<()> {
    let traps = (0..256).map(|i| TRAPS + i * 16 + 8);
    let addresses = [
        RIP,
        RSP,
        KERNEL_SP,
        FS_BASE,
        GS_BASE_KERNEL,
        GS_BASE_USER,
        EVENT_CALLBACK,
        SYSCALL_CALLBACK,
        FAILSAFE_CALLBACK,
        LDT_BASE,
    ];
    let canonical = addresses.into_iter().chain(traps).all(|at| is_canonical(given.get(at)));
    let fits = given.get(LDT_BASE) % 4096 == 0
        && given.get(LDT_ENTS) <= 8192
        && given.get(GDT_ENTS).div_ceil(512) <= 16;
    if canonical && fits { Ok(()) } else { Err(libc::EINVAL) }
}
