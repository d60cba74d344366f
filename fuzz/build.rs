//! Builds the hostile libxencall, under the name by which the library looks for the real one: the
//! loader then finds that it has it already.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=hostile_xencall.c");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let library = out.join("libhostile_xencall.so");
    // Not by the crate cc, which would bring in the C compiler's own AddressSanitizer.
    let status = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-shared", "-fPIC", "-O1", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(["-Wl,-soname,libxencall.so.1", "hostile_xencall.c", "-o"])
        .arg(&library)
        .status()
        .expect("a C compiler runs");
    assert!(status.success(), "hostile_xencall.c can be compiled");
    // Under its soname too, where the loader looks for it.
    let link = out.join("libxencall.so.1");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&library, &link).expect("OUT_DIR can be written");
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=dylib=hostile_xencall");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", out.display());
}
