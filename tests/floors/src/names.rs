//! What a file names: paths, words and modules, macros' tokens included.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the root of the crate; the names follow.
    Root,
    /// At another crate, or at a name that is known where it stands.
    Name,
}

/// A path as it is meant, without `self` and `super`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it begins.
    pub start: Start,
    /// Its names; a `*` is one.
    pub names: Vec<String>,
    /// Whether a `use` has it, or more than one name.
    pub is_path: bool,
    /// Where it stands.
    pub line: usize,
}

/// A module in a file of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Child {
    /// Its path in the crate.
    pub module: Vec<String>,
    /// The file that it names itself (`#[path]`).
    pub file: Option<String>,
}

/// What a file has.
#[derive(Debug, Default)]
pub struct Names {
    /// All paths.
    pub paths: Vec<Path>,
    /// All identifiers and literals.
    pub words: Vec<(usize, String)>,
    /// Its modules that are files.
    pub children: Vec<Child>,
}

/// Reads a file's tokens. `module` is the path of its module in the crate.
pub fn read(tokens: TokenStream, module: &[String]) -> Names {
    let mut names = Names::default();
    Reader { names: &mut names, module: module.to_vec() }.tokens(tokens);
    names
}

struct Reader<'n> {
    names: &'n mut Names,
    module: Vec<String>,
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == name)
}

fn ident(token: Option<&TokenTree>) -> Option<(String, usize)> {
    match token {
        Some(TokenTree::Ident(ident)) => {
            let name = ident.to_string();
            let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
            Some((name, ident.span().start().line))
        }
        _ => None,
    }
}

/// Whether `::` begins at `at`.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

impl Reader<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.token(&tokens, at);
        }
    }

    /// Reads what begins at a token; gives where the next thing begins.
    fn token(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => self.tokens(group.stream()),
            TokenTree::Literal(literal) => {
                self.names.words.push((literal.span().start().line, literal.to_string()));
            }
            TokenTree::Punct(_) => {}
            TokenTree::Ident(_) => return self.word(tokens, at),
        }
        at + 1
    }

    fn word(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let Some((name, line)) = ident(tokens.get(at)) else { return at + 1 };
        let before = |n: usize| at.checked_sub(n).map(|at| &tokens[at]);
        // A lifetime, or what a value has.
        let belongs =
            is_punct(before(1), '\'') || is_punct(before(1), '.') && !is_punct(before(2), '.');
        // `Type<...>::name`; but `::name` is a crate.
        let continues = is_punct(before(1), ':')
            && is_punct(before(2), ':')
            && at > 2
            && is_punct(before(3), '>');
        match name.as_str() {
            "use" if !belongs && !is_punct(tokens.get(at + 1), '<') => {
                return self.tree(tokens, at + 1, &Vec::new());
            }
            "extern" if is_ident(tokens.get(at + 1), "crate") => {
                if let Some((name, line)) = ident(tokens.get(at + 2)) {
                    self.path(vec![name], true, line);
                }
                return at + 3;
            }
            "mod" if ident(tokens.get(at + 1)).is_some() => return self.module(tokens, at + 1),
            _ => self.names.words.push((line, name.clone())),
        }
        if belongs || continues {
            return at + 1;
        }
        let (mut path, mut at) = (vec![name], at + 1);
        while is_separator(tokens, at) {
            let Some((name, line)) = ident(tokens.get(at + 2)) else { break };
            self.names.words.push((line, name.clone()));
            path.push(name);
            at += 3;
        }
        let is_path = path.len() > 1;
        self.path(path, is_path, line);
        at
    }

    /// A tree of `use`, behind `prefix`, up to the comma or semicolon behind it.
    fn tree(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let (mut line, mut ended) = (0, false);
        while let Some(token) = tokens.get(at) {
            line = token.span().start().line;
            match token {
                TokenTree::Ident(word) if *word == "as" => {
                    at += 2;
                    continue;
                }
                TokenTree::Ident(_) => {
                    if let Some((name, line)) = ident(Some(token)) {
                        self.names.words.push((line, name.clone()));
                        // Of what stands before the braces.
                        if name != "self" || path.is_empty() {
                            path.push(name);
                        }
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut at = 0;
                    while at < inner.len() {
                        at = self.tree(&inner, at, &path);
                    }
                    ended = true;
                }
                TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => break,
                _ => {}
            }
            at += 1;
        }
        if !ended && !path.is_empty() {
            self.path(path, true, line);
        }
        at + 1
    }

    /// A module whose name is at `at`.
    fn module(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let Some((name, _)) = ident(tokens.get(at)) else { return at };
        let mut module = self.module.clone();
        module.push(name);
        match tokens.get(at + 1) {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                Reader { names: self.names, module }.tokens(body.stream());
                at + 2
            }
            _ => {
                let file = tokens[..at]
                    .iter()
                    .rev()
                    .take_while(|token| before_mod(token))
                    .find_map(path_of);
                self.names.children.push(Child { module, file });
                at + 1
            }
        }
    }

    fn path(&mut self, mut names: Vec<String>, is_path: bool, line: usize) {
        let mut start = Start::Name;
        let mut meant = Vec::new();
        match names[0].as_str() {
            "crate" => {
                start = Start::Root;
                names.remove(0);
            }
            // Alone it is a value.
            "self" | "super" if is_path => {
                start = Start::Root;
                meant.clone_from(&self.module);
                let up = names.iter().take_while(|name| ["self", "super"].contains(&name.as_str()));
                for name in names.drain(..up.count()).collect::<Vec<_>>() {
                    if name == "super" {
                        meant.pop();
                    }
                }
            }
            _ => {}
        }
        meant.extend(names);
        self.names.paths.push(Path { start, names: meant, is_path, line });
    }
}

/// What may stand between an attribute and its `mod`: other attributes and `pub`.
fn before_mod(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => {
            matches!(group.delimiter(), Delimiter::Bracket | Delimiter::Parenthesis)
        }
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Literal(_) => false,
    }
}

/// The file of `[path = "file"]`.
fn path_of(attribute: &TokenTree) -> Option<String> {
    let TokenTree::Group(group) = attribute else { return None };
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    match tokens.as_slice() {
        [name, _, TokenTree::Literal(file)] if is_ident(Some(name), "path") => {
            Some(file.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Names {
        let module = ["hypervisor", "buffer"].map(str::to_owned);
        read(text.parse().unwrap(), &module)
    }

    /// Paths with more than one name, those of the crate with `crate` before them.
    fn paths(text: &str) -> Vec<String> {
        let paths = names(text).paths.into_iter().filter(|path| path.is_path);
        paths
            .map(|Path { start, names, .. }| match start {
                Start::Root => format!("crate::{}", names.join("::")).trim_matches(':').to_owned(),
                Start::Name => names.join("::"),
            })
            .collect()
    }

    #[test]
    fn a_path_is_what_it_means() {
        assert_eq!(paths("fn f(x: crate::stubs::Uuid) {}"), ["crate::stubs::Uuid"]);
        assert_eq!(paths("let x = super::super::stubs::f(self.y);"), ["crate::stubs::f"]);
        assert_eq!(paths("self::super::x::y();"), ["crate::hypervisor::x::y"]);
        assert_eq!(
            paths("mod m { use super::super::call::Xen; }"),
            ["crate::hypervisor::call::Xen"]
        );
        assert_eq!(paths("let x = ::libc::pid_t::MAX;"), ["libc::pid_t::MAX"]);
        assert_eq!(paths("Vec::<runtime::Val>::new()"), ["runtime::Val"]);
    }

    #[test]
    fn trees_of_use_are_read_to_their_leaves() {
        let text = "use crate::{abi::{self, domctl as d}, stubs::*, hypervisor};";
        let read = ["crate::abi", "crate::abi::domctl", "crate::stubs::*", "crate::hypervisor"];
        assert_eq!(paths(text), read);
        assert_eq!(paths("pub use {runtime, super::super::*};"), ["runtime", "crate::*"]);
        assert_eq!(paths("use super::super as root;"), ["crate"]);
        assert_eq!(paths("use libc;"), ["libc"]);
        assert_eq!(paths("extern crate libc as c;"), ["libc"]);
        assert_eq!(paths("use crate::{r#stubs};"), ["crate::stubs"]);
    }

    #[test]
    fn macros_hide_nothing() {
        let text =
            "export! { fn stub(h: Handle) -> () { Ok(crate::abi::f(unsafe { caml_x() })) } }";
        assert_eq!(paths(text), ["crate::abi::f"]);
        let words: Vec<String> = names(text).words.into_iter().map(|(_, word)| word).collect();
        assert!(["unsafe", "caml_x"].iter().all(|word| words.iter().any(|w| w == word)));
        assert_eq!(paths("macro_rules! m { () => { $crate::stubs::f() }; }"), ["crate::stubs::f"]);
    }

    #[test]
    fn modules_in_files_are_found() {
        let text = "mod a; #[cfg(all(test, loom))] #[path = \"b_model.rs\"] pub(super) mod b;
            mod inner { mod c; } fn f() { use x::y; }";
        let child = |names: &[&str], file: Option<&str>| Child {
            module: ["hypervisor", "buffer"].iter().chain(names).map(ToString::to_string).collect(),
            file: file.map(str::to_owned),
        };
        let children = names(text).children;
        assert_eq!(
            children,
            [child(&["a"], None), child(&["b"], Some("b_model.rs")), child(&["inner", "c"], None)]
        );
    }

    #[test]
    fn lines_are_the_files() {
        let names = names("fn f() {}\n\nuse crate::{\n    stubs,\n};");
        assert_eq!(names.paths.iter().find(|path| path.is_path).unwrap().line, 4);
    }
}
