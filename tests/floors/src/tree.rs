//! The files of a crate, by its modules.

use crate::names::{self, Names};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A file of a crate.
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its module's path in the crate.
    pub module: Vec<String>,
    /// What it names.
    pub names: Names,
}

/// Reads a crate from its root file on. A file that cannot be read is an error.
pub fn read(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    let mut next = vec![(root.to_owned(), Vec::new(), true)];
    while let Some((path, module, owns_folder)) = next.pop() {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|e| told(&e))?;
        let tokens = text.parse().map_err(|e| told(&e))?;
        let names = names::read(tokens, &module);
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        // Where its modules are: beside it, or in a folder of its name.
        let own = if owns_folder { folder.clone() } else { path.with_extension("") };
        for child in &names.children {
            let file = match &child.file {
                Some(file) => folder.join(file),
                None => {
                    let below =
                        child.module[module.len()..].iter().fold(own.clone(), |p, m| p.join(m));
                    let (file, alone) = (below.with_extension("rs"), below.join("mod.rs"));
                    if file.exists() { file } else { alone }
                }
            };
            let owns_folder = child.file.is_some() || file.ends_with("mod.rs");
            next.push((file, child.module.clone(), owns_folder));
        }
        files.push(File { path, module, names });
    }
    Ok(files)
}

/// Rust's files in a folder and its folders that are not among `known`.
pub fn unknown(folder: &Path, known: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut next = vec![folder.to_owned()];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                next.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_known(&path, known) {
                found.push(path);
            }
        }
    }
    found
}

fn is_known(path: &Path, known: &BTreeSet<PathBuf>) -> bool {
    path.canonicalize().is_ok_and(|path| known.contains(&path))
}
