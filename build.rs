//! Reads the layouts of the installed Xen release from its headers, against which `src/abi` is
//! asserted when it compiles. (The prototypes of Xen's libraries are read in src/libraries.)

#[path = "src/libraries/headers.rs"]
mod headers;

fn main() {
    // Not of this file: cargo sees that by itself, and fuzz/stubs has it under another path.
    println!("cargo::rerun-if-env-changed=XEN_INCLUDE_DIR");
    // See src/hypervisor/buffer_model.rs.
    println!("cargo::rustc-check-cfg=cfg(loom)");

    let layouts = headers::headers(
        "#include <stdint.h>\n#include <xen/xen.h>\n#include <xen/domctl.h>\n#include <xen/sysctl.h>\n\
         #include <xen/sched.h>\n#include <xen/version.h>\n#include <xen/event_channel.h>\n\
         #include <xen/memory.h>\n#include <xen/hvm/hvm_op.h>\n#include <xen/hvm/params.h>",
    )
    .allowlist_type("xen_(sys|dom)ctl|xen_domctl_(createdomain|getdomaininfo|max_mem|max_vcpus)")
    .allowlist_type("xen_sysctl_(physinfo|getdomaininfolist)|sched_remote_shutdown")
    .allowlist_type("xen_domctl_(getvcpuinfo|vcpuaffinity|shadow_op|vcpucontext|scheduler_op)")
    .allowlist_type("xen_domctl_(sched_credit2?|(irq|iomem|ioport)_permission|assign_device)")
    .allowlist_type("xen_domctl_address_size|xenctl_bitmap|vcpu_guest_context")
    .allowlist_type("xen_sysctl_(readconsole|sched_id|debug_keys|getcpuinfo|cpuinfo)")
    .allowlist_type("xen_sysctl_cpu_featureset|sched_watchdog|xen_hvm_param")
    .allowlist_type("evtchn_(alloc_unbound|status|reset)")
    .allowlist_type("xen_memory_reservation|xen_(foreign_)?memory_map")
    .allowlist_type("xen_(extraversion|capabilities_info|changeset_info|compile_info)(_t)?")
    .allowlist_var("__HYPERVISOR_(xen_version|sched_op|sysctl|domctl)|XENVER_.*")
    .allowlist_var("__HYPERVISOR_(memory_op|event_channel_op|hvm_op)|EVTCHNOP_.*|EVTCHNSTAT_.*")
    .allowlist_var("XENMEM_(increase_reservation|set_memory_map)|HVMOP_[gs]et_param|HVM_.*PARAM.*")
    .allowlist_var("XEN_SCHEDULER_.*|_?XEN_VCPUAFFINITY_.*")
    .allowlist_var("XEN_(SYS|DOM)CTL_.*|XEN_DOMINF_.*|XEN_X86_.*|XEN_INVALID_MAX_VCPU_ID")
    .allowlist_var("SHUTDOWN_.*|SCHEDOP_(remote_shutdown|watchdog)");
    headers::write(layouts, "xen.rs");
}
