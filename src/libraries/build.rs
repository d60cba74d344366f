//! Reads the libraries' prototypes from the installed headers.

mod headers;

fn main() {
    println!("cargo::rerun-if-env-changed=XEN_INCLUDE_DIR");
    prototypes(
        "xencall",
        "LibXencall",
        "xencall_(open|close|alloc_buffer_pages|free_buffer_pages)|xencall(1|2|2L)",
    );
    prototypes("xenforeignmemory", "LibXenforeignmemory", "xenforeignmemory_(open|close|map)");
    prototypes(
        "xenevtchn",
        "LibXenevtchn",
        "xenevtchn_((fd)?open|close|fd|notify|pending|unmask|unbind|bind_(interdomain|virq))",
    );
}

/// A table of the `functions` that a library's header declares.
fn prototypes(library: &str, table: &str, functions: &str) {
    let builder = headers::headers(&format!("#include <xentoollog.h>\n#include <{library}.h>"))
        .allowlist_function(functions)
        .allowlist_type("xentoollog_logger")
        .allowlist_var("XENEVTCHN_NO_CLOEXEC")
        .dynamic_library_name(table)
        .dynamic_link_require_all(true);
    headers::write(builder, &format!("{library}.rs"));
}
