//! Reading Xen's installed headers, for the build scripts.

use std::{env, path::PathBuf};

/// A reader of headers, included in this order.
pub fn headers(includes: &str) -> bindgen::Builder {
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

/// Writes what it reads to a file of `OUT_DIR`.
pub fn write(builder: bindgen::Builder, file: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    builder
        .generate()
        .expect("Xen's headers, from the package libxen-dev, can be read")
        .write_to_file(out.join(file))
        .expect("OUT_DIR can be written");
}
