//! Reads the installed Xen headers: the prototypes of libxencall, and the layouts of the installed
//! release, against which `src/abi` is asserted when it compiles.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=XEN_INCLUDE_DIR");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    // What only one of the two needs would be dead code in the other.
    headers("#include <xentoollog.h>\n#include <xencall.h>")
        .allowlist_function("xencall_(open|close|alloc_buffer_pages|free_buffer_pages)")
        .allowlist_function("xencall[12]")
        .allowlist_type("xentoollog_logger")
        .dynamic_library_name("LibXencall")
        .dynamic_link_require_all(true)
        .generate()
        .expect("xencall.h, from the package libxen-dev, can be read")
        .write_to_file(out.join("xencall.rs"))
        .expect("OUT_DIR can be written");

    headers(
        "#include <stdint.h>\n#include <xen/xen.h>\n#include <xen/domctl.h>\n#include <xen/sysctl.h>\n\
         #include <xen/sched.h>\n#include <xen/version.h>",
    )
    .allowlist_type("xen_(sys|dom)ctl|xen_domctl_(createdomain|getdomaininfo|max_mem|max_vcpus)")
    .allowlist_type("xen_sysctl_(physinfo|getdomaininfolist)|sched_remote_shutdown")
    .allowlist_type("xen_(extraversion|capabilities_info|changeset_info|compile_info)(_t)?")
    .allowlist_var("__HYPERVISOR_(xen_version|sched_op|sysctl|domctl)|XENVER_.*")
    .allowlist_var("XEN_(SYS|DOM)CTL_.*|XEN_DOMINF_.*|XEN_X86_.*|XEN_INVALID_MAX_VCPU_ID")
    .allowlist_var("SHUTDOWN_.*|SCHEDOP_remote_shutdown")
    .generate()
    .expect("Xen's public headers, from the package libxen-dev, can be read")
    .write_to_file(out.join("xen.rs"))
    .expect("OUT_DIR can be written");
}

fn headers(includes: &str) -> bindgen::Builder {
    let builder = bindgen::Builder::default()
        // Hypercalls of the toolstack are declared for it alone.
        .header_contents("xen.h", &format!("#define __XEN_TOOLS__ 1\n{includes}\n"))
        .layout_tests(false)
        .generate_comments(false)
        .wrap_unsafe_ops(true)
        .rust_edition(bindgen::RustEdition::Edition2024);
    match env::var("XEN_INCLUDE_DIR") {
        Ok(dir) => builder.clang_arg(format!("-I{dir}")),
        Err(_) => builder,
    }
}
