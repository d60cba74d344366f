//! Who may know what.

use crate::{
    names::{Names, Start},
    tree,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A floor of the library, or a crate beside it.
struct Floor {
    /// Its crate's root.
    root: &'static str,
    /// The module that it is in its crate; none: all of the crate.
    module: Option<&'static str>,
    /// Modules of its crate that it may name, besides itself.
    floors: &'static [&'static str],
    /// Crates that it may name, besides the standard library.
    crates: &'static [&'static str],
    /// Whether unsafe code may be in it.
    may_be_unsafe: bool,
    /// What it must not have.
    foreign: &'static [Foreign],
}

/// Beginnings of words, with the reason why a floor must not have them.
type Foreign = &'static [(&'static str, &'static str)];

const OCAML: Foreign = &[("caml", "OCaml's runtime is src/runtime's")];
const LIBRARIES: Foreign = &[
    ("xencall", "Xen's libraries are src/libraries'"),
    ("xenforeignmemory", "Xen's libraries are src/libraries'"),
    ("dlopen", "libraries are src/libraries'"),
];
const HYPERCALLS: Foreign = &[
    ("HYPERVISOR_", "hypercalls are src/hypervisor's"),
    ("ioctl", "system calls are src/hypervisor's"),
];

const LIBRARY: &str = "src/lib.rs";

const FLOORS: [Floor; 9] = [
    Floor {
        root: LIBRARY,
        module: Some("abi"),
        floors: &[],
        crates: &[],
        may_be_unsafe: false,
        foreign: &[OCAML, LIBRARIES],
    },
    // The layouts held against the installed headers: the same floor.
    Floor {
        root: LIBRARY,
        module: Some("installed"),
        floors: &["abi"],
        crates: &[],
        may_be_unsafe: false,
        foreign: &[OCAML, LIBRARIES],
    },
    Floor {
        root: LIBRARY,
        module: Some("hypervisor"),
        floors: &["abi"],
        crates: &["libc", "libloading", "loom", "xen_libraries"],
        may_be_unsafe: true,
        foreign: &[OCAML],
    },
    Floor {
        root: LIBRARY,
        module: Some("stubs"),
        floors: &["abi", "hypervisor"],
        // Xenmmap's mapping, which map_foreign_range makes.
        crates: &["runtime", "xenmmap_stubs"],
        may_be_unsafe: false,
        foreign: &[OCAML, LIBRARIES, HYPERCALLS],
    },
    Floor {
        root: "src/runtime/lib.rs",
        module: None,
        floors: &[],
        crates: &["libc", "ocaml_interop"],
        may_be_unsafe: true,
        foreign: &[LIBRARIES, HYPERCALLS],
    },
    Floor {
        root: "src/libraries/lib.rs",
        module: None,
        floors: &[],
        crates: &["libc", "libloading", "once_cell"],
        may_be_unsafe: true,
        foreign: &[OCAML, HYPERCALLS],
    },
    // One floor each: a family of externals with its library's calls.
    Floor {
        root: "mmap/src/lib.rs",
        module: None,
        floors: &[],
        crates: &["libc", "runtime"],
        may_be_unsafe: true,
        foreign: &[OCAML],
    },
    Floor {
        root: "eventchn/src/lib.rs",
        module: None,
        floors: &[],
        crates: &["runtime", "xen_libraries"],
        may_be_unsafe: true,
        foreign: &[OCAML],
    },
    // The hypervisor's side. Layouts are shared, nothing else: what is tested must not test itself.
    Floor {
        root: "sim/src/lib.rs",
        module: None,
        floors: &[],
        crates: &["libc"],
        may_be_unsafe: true,
        foreign: &[OCAML],
    },
];

/// Crates that tests may name besides, everywhere.
const FOR_TESTS: [&str; 1] = ["proptest"];

/// Names of the library's own crates, and of all others that it is built with.
fn crates(root: &Path) -> Result<BTreeSet<String>, String> {
    let lock =
        fs::read_to_string(root.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    Ok(names.map(|name| name.replace('-', "_")).chain(["runtime".to_owned()]).collect())
}

/// What breaks the rules, as `file:line: rule`.
pub fn check(root: &Path) -> Vec<String> {
    check_all(root).unwrap_or_else(|error| vec![error])
}

fn check_all(root: &Path) -> Result<Vec<String>, String> {
    let crates = crates(root)?;
    let mut broken = Vec::new();
    let mut known = BTreeSet::new();
    let roots: BTreeSet<&str> = FLOORS.iter().map(|floor| floor.root).collect();
    for crate_root in &roots {
        let path = root.join(crate_root);
        for file in tree::read(&path)? {
            known.extend(file.path.canonicalize());
            let shown = file.path.strip_prefix(root).unwrap_or(&file.path).display().to_string();
            let mut lines = BTreeMap::new();
            match floor_of(crate_root, &file.module) {
                Some(floor) => floor.check(&file.names, &crates, &mut lines),
                // The root of the library: it names its floors, and has nothing itself.
                None if file.module.is_empty() => only_names_floors(&file.names, &mut lines),
                None => _ = lines.insert(1, "it belongs to no floor".to_owned()),
            }
            broken.extend(lines.iter().map(|(line, rule)| format!("{shown}:{line}: {rule}")));
        }
        broken.extend(undocumented(root, crate_root)?);
    }
    for folder in ["src", "mmap", "eventchn", "sim"] {
        let unknown: Vec<PathBuf> = tree::unknown(&root.join(folder), &known);
        for path in unknown.iter().map(|path| path.strip_prefix(root).unwrap_or(path)) {
            // Build scripts are no part of a floor, nor what they share.
            if !path.ends_with("build.rs") && path != Path::new("src/libraries/headers.rs") {
                broken.push(format!("{}:1: no module of a crate is this file", path.display()));
            }
        }
    }
    Ok(broken)
}

fn floor_of(root: &str, module: &[String]) -> Option<&'static Floor> {
    FLOORS.iter().find(|floor| {
        floor.root == root
            && floor.module.is_none_or(|name| module.first().is_some_and(|first| first == name))
    })
}

fn only_names_floors(names: &Names, broken: &mut BTreeMap<usize, String>) {
    for (line, word) in &names.words {
        if ["fn", "macro_rules", "struct", "static", "unsafe", "include"].contains(&word.as_str()) {
            broken.insert(*line, format!("`{word}` at the root, which is no floor"));
        }
    }
}

/// Where a crate does not ask for a reason before unsafe code (which clippy then looks for).
fn undocumented(root: &Path, crate_root: &str) -> Result<Option<String>, String> {
    let read = |path: &Path| {
        fs::read_to_string(root.join(path)).map_err(|e| format!("{}: {e}", path.display()))
    };
    let manifest = Path::new(crate_root)
        .ancestors()
        .map(|folder| folder.join("Cargo.toml"))
        .find(|path| root.join(path).exists())
        .ok_or_else(|| format!("{crate_root} has no manifest"))?;
    let workspace = Path::new("Cargo.toml");
    let rule = if !read(&manifest)?.contains("[lints]\nworkspace = true\n") {
        format!("{}:1: the workspace's lints are not on", manifest.display())
    } else if !read(workspace)?.contains("\nundocumented_unsafe_blocks = \"warn\"\n") {
        "Cargo.toml:1: clippy::undocumented_unsafe_blocks is not on".to_owned()
    } else {
        return Ok(None);
    };
    Ok(Some(rule))
}

impl Floor {
    fn name(&self) -> String {
        self.root.replace("lib.rs", self.module.unwrap_or("")).trim_end_matches('/').to_owned()
    }

    fn check(
        &self,
        names: &Names,
        crates: &BTreeSet<String>,
        broken: &mut BTreeMap<usize, String>,
    ) {
        let floor = self.name();
        for path in names.paths.iter().filter(|path| path.is_path) {
            let first = path.names.first().map_or("", String::as_str);
            let rule = match path.start {
                Start::Root => match self.module {
                    Some(own) if first != own && !self.floors.contains(&first) => {
                        Some(match first {
                            "" | "*" => format!("{floor} names the root of its crate"),
                            _ => format!("{floor} must not know crate::{first}"),
                        })
                    }
                    _ => None,
                },
                Start::Name if !crates.contains(first) => None,
                Start::Name => {
                    let may = self.crates.contains(&first) || FOR_TESTS.contains(&first);
                    (!may).then(|| format!("{floor} must not know the crate {first}"))
                }
            };
            if let Some(rule) = rule {
                broken.insert(path.line, rule);
            }
        }
        for (line, word) in &names.words {
            if !self.may_be_unsafe && word == "unsafe" {
                broken.insert(*line, format!("{floor} must have no unsafe code"));
            }
            // A literal too: a name to be looked up.
            let texts = [word.as_str(), word.split_once('"').map_or("", |(_, text)| text)];
            for (beginning, reason) in self.foreign.iter().copied().flatten() {
                if texts.iter().any(|text| text.starts_with(beginning)) {
                    broken.insert(*line, format!("{floor} must not have {word}: {reason}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    /// What is wrong with a text in a module of a crate.
    fn broken(root: &str, module: &[&str], text: &str) -> Vec<String> {
        let module: Vec<String> = module.iter().map(ToString::to_string).collect();
        let crates = ["libc", "libloading", "runtime", "xensim", "xenctrl_stubs", "ocaml_interop"];
        let crates = crates.map(str::to_owned).into_iter().collect();
        let mut broken = BTreeMap::new();
        let names = names::read(text.parse().unwrap(), &module);
        floor_of(root, &module).unwrap().check(&names, &crates, &mut broken);
        broken.into_values().collect()
    }

    #[test]
    fn the_library_keeps_its_floors() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert_eq!(check(&root), Vec::<String>::new());
    }

    #[test]
    fn no_floor_reaches_upwards() {
        let abi = |text| broken(LIBRARY, &["abi", "domctl"], text);
        let hypervisor = |text| broken(LIBRARY, &["hypervisor", "call"], text);
        let stubs = |text| broken(LIBRARY, &["stubs", "uuid"], text);
        let runtime = |text| broken("src/runtime/lib.rs", &["carve"], text);
        let sim = |text| broken("sim/src/lib.rs", &["vcpu"], text);
        for (what, told) in [
            (abi("use crate::hypervisor::Xen;"), "src/abi must not know crate::hypervisor"),
            (abi("fn f() { super::super::stubs::g() }"), "src/abi must not know crate::stubs"),
            (abi("use super::super as root;"), "src/abi names the root of its crate"),
            (abi("use crate::*;"), "src/abi names the root of its crate"),
            (abi("fn f(p: libc::pid_t) {}"), "src/abi must not know the crate libc"),
            (abi("fn f() { unsafe { g() } }"), "src/abi must have no unsafe code"),
            (hypervisor("use runtime::Val;"), "src/hypervisor must not know the crate runtime"),
            (
                hypervisor("m! { crate::stubs::uuid::Uuid }"),
                "src/hypervisor must not know crate::stubs",
            ),
            (
                hypervisor("unsafe extern \"C\" { fn caml_alloc(); }"),
                "src/hypervisor must not have caml_alloc: OCaml's runtime is src/runtime's",
            ),
            (stubs("export! { fn f() { unsafe { g() } } }"), "src/stubs must have no unsafe code"),
            (stubs("use ::libc;"), "src/stubs must not know the crate libc"),
            (
                stubs("const A: u32 = HYPERVISOR_DOMCTL;"),
                "src/stubs must not have HYPERVISOR_DOMCTL: hypercalls are src/hypervisor's",
            ),
            (
                stubs("f(c\"caml_x\");"),
                "src/stubs must not have c\"caml_x\": OCaml's runtime is src/runtime's",
            ),
            (
                runtime("use xenctrl_stubs::hypervisor::Xen;"),
                "src/runtime must not know the crate xenctrl_stubs",
            ),
            (
                runtime("fn f() { xencall_open() }"),
                "src/runtime must not have xencall_open: Xen's libraries are src/libraries'",
            ),
            (
                sim("use xenctrl_stubs::hypervisor;"),
                "sim/src must not know the crate xenctrl_stubs",
            ),
            (sim("use runtime::Val;"), "sim/src must not know the crate runtime"),
        ] {
            assert!(what.iter().any(|rule| rule == told), "{told}: {what:?}");
        }
    }

    #[test]
    fn floors_know_what_is_below() {
        for (module, text) in [
            (
                "hypervisor",
                "use super::{Errno, super::abi::domctl}; fn f() { unsafe { libc::g() } }",
            ),
            ("stubs", "use crate::{abi::domctl, hypervisor::Xen}; use runtime::export; self.x();"),
            ("abi", "use std::mem; use super::sysctl; const A: u32 = crate::abi::B;"),
            ("abi", "macro_rules! m { () => { $crate::abi::X }; }"),
        ] {
            assert_eq!(broken(LIBRARY, &[module, "m"], text), Vec::<String>::new(), "{text}");
        }
    }
}
