//! Reads the installed Xen headers: the prototypes of libxencall and libxenforeignmemory, and the
//! layouts of the installed release, against which `src/abi` is asserted when it compiles.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=XEN_INCLUDE_DIR");
    // See src/hypervisor/buffer_model.rs.
    println!("cargo::rustc-check-cfg=cfg(loom)");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    // What only one of the three needs would be dead code in the others.
    headers("#include <xentoollog.h>\n#include <xencall.h>")
        .allowlist_function("xencall_(open|close|alloc_buffer_pages|free_buffer_pages)")
        .allowlist_function("xencall(1|2|2L)")
        .allowlist_type("xentoollog_logger")
        .dynamic_library_name("LibXencall")
        .dynamic_link_require_all(true)
        .generate()
        .expect("xencall.h, from the package libxen-dev, can be read")
        .write_to_file(out.join("xencall.rs"))
        .expect("OUT_DIR can be written");

    headers("#include <xenforeignmemory.h>")
        .allowlist_function("xenforeignmemory_(open|close|map)")
        .dynamic_library_name("LibXenforeignmemory")
        .dynamic_link_require_all(true)
        .generate()
        .expect("xenforeignmemory.h, from the package libxen-dev, can be read")
        .write_to_file(out.join("xenforeignmemory.rs"))
        .expect("OUT_DIR can be written");

    headers(
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
    .allowlist_var("SHUTDOWN_.*|SCHEDOP_(remote_shutdown|watchdog)")
    .generate()
    .expect("Xen's public headers, from the package libxen-dev, can be read")
    .write_to_file(out.join("xen.rs"))
    .expect("OUT_DIR can be written");
}

fn headers(includes: &str) -> bindgen::Builder {
    let builder = bindgen::Builder::default()
        // Hypercalls of the toolstack are declared for it alone.
        .header_contents("xen.h", &format!("#define __XEN_TOOLS__ 1\n{includes}\n"))
        // Other headers, as of another release that is installed, are read again.
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
        .layout_tests(false)
        .generate_comments(false)
        .wrap_unsafe_ops(true)
        .rust_edition(bindgen::RustEdition::Edition2024);
    match env::var("XEN_INCLUDE_DIR") {
        Ok(dir) => builder.clang_arg(format!("-I{dir}")),
        Err(_) => builder,
    }
}
