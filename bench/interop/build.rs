//! Reads the installed Xen headers.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-lib=xencall");
    bindgen::Builder::default()
        .header_contents(
            "xen.h",
            "#define __XEN_TOOLS__ 1\n#include <xencall.h>\n#include <xen/xen.h>\n\
             #include <xen/domctl.h>\n#include <xen/sysctl.h>\n",
        )
        .allowlist_function("xencall_(open|alloc_buffer)|xencall1")
        .allowlist_type("xen_(sys|dom)ctl|xen_domctl_getdomaininfo")
        .allowlist_var("__HYPERVISOR_(sys|dom)ctl|XEN_SYSCTL_getdomaininfolist")
        .allowlist_var("XEN_DOMCTL_getdomaininfo|XEN_DOMINF_.*")
        .layout_tests(false)
        .generate_comments(false)
        .wrap_unsafe_ops(true)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .generate()
        .expect("Xen's public headers, from the package libxen-dev, can be read")
        .write_to_file(PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("xen.rs"))
        .expect("OUT_DIR can be written");
}
