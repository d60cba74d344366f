//! Reads libxenevtchn's prototypes from the installed header.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=XEN_INCLUDE_DIR");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut builder = bindgen::Builder::default()
        .header_contents("xen.h", "#include <xentoollog.h>\n#include <xenevtchn.h>\n")
        .layout_tests(false)
        .generate_comments(false)
        .wrap_unsafe_ops(true)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .allowlist_function("xenevtchn_(open|fdopen|close|fd|notify|pending|unmask|unbind)")
        .allowlist_function("xenevtchn_bind_(interdomain|virq)")
        .allowlist_type("xentoollog_logger")
        .allowlist_var("XENEVTCHN_NO_CLOEXEC")
        .dynamic_library_name("LibXenevtchn")
        .dynamic_link_require_all(true);
    if let Ok(dir) = env::var("XEN_INCLUDE_DIR") {
        builder = builder.clang_arg(format!("-I{dir}"));
    }
    builder
        .generate()
        .expect("xenevtchn.h, from the package libxen-dev, can be read")
        .write_to_file(out.join("xenevtchn.rs"))
        .expect("OUT_DIR can be written");
}
