//! Modules import in one direction: no module reaches itself again through what it imports, tests aside.
//!
//! Imports are `use` lines and paths that begin with `crate::` or `super::`. A name that a module
//! hands on with `pub use` counts as an import of the module that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::sources::rust_files;
use crate::workspace::Workspace;

/// The crates whose modules are looked at.
const CRATES: [&str; 2] = ["domain", "node"];

/// The number of times that a name may be handed on before it is found.
const MAX_HANDS: usize = 8;

/// A module as the segments of its path, its crate's folder first.
type Module = Vec<String>;

pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let mut sources = Sources::default();
    for name in CRATES {
        let folder = workspace.root.join("crates").join(name).join("src");
        if let Err(error) = sources.read(name, &folder) {
            return vec![format!("{} cannot be read: {error}", folder.display())];
        }
    }
    sources.check()
}

/// The code of modules, without their tests and comments.
#[derive(Default)]
struct Sources(BTreeMap<Module, String>);

/// A path that a module names.
#[derive(Debug, Clone, PartialEq)]
struct Import {
    path: Module,
    /// The name under which the module hands it on; none where it does not.
    handed_on: Option<String>,
}

impl Sources {
    fn read(&mut self, name: &str, folder: &Path) -> std::io::Result<()> {
        let mut files = Vec::new();
        rust_files(folder, &mut files)?;
        for file in files {
            let within = file.strip_prefix(folder).unwrap_or(&file);
            let parts = within.with_extension("");
            let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
            let mut module = vec![name.to_owned()];
            module.extend(parts.filter(|part| !["mod", "lib", "main"].contains(&part.as_str())));
            self.add(module, &fs::read_to_string(&file)?);
        }
        Ok(())
    }

    fn add(&mut self, module: Module, text: &str) {
        let is_test = |part: &String| part == "tests" || part == "test_log";
        if !module.iter().any(is_test) {
            self.0.insert(module, code_of(text));
        }
    }

    fn check(&self) -> Vec<String> {
        let named = |circle: &BTreeSet<Module>| {
            let names: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
            format!("{} import each other", names.join(", "))
        };
        circles(&self.arrows()).iter().map(named).collect()
    }

    /// The modules that each module imports.
    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let imports: BTreeMap<&Module, Vec<Import>> = self
            .0
            .iter()
            .map(|(module, code)| (module, self.imports(module, code)))
            .collect();
        let arrows_of = |(module, named): (&&Module, &Vec<Import>)| {
            let found = named
                .iter()
                .map(|it| self.home(&imports, &it.path, MAX_HANDS));
            let others = found.filter(|found| found != *module).collect();
            ((*module).clone(), others)
        };
        imports.iter().map(arrows_of).collect()
    }

    /// The paths that the code of a module names, as seen from the crate.
    fn imports(&self, module: &Module, code: &str) -> Vec<Import> {
        let mut imports = Vec::new();
        let mut end_of_use = 0;
        for (at, word) in words(code).filter(|(_, word)| ["use", "crate", "super"].contains(word)) {
            let (before, rest) = code.split_at(at);
            let before = before.trim_end();
            if at < end_of_use {
            } else if word == "use" {
                let text = rest.split(';').next().unwrap_or_default();
                end_of_use = at + text.len();
                let is_public = before.ends_with("pub") || before.ends_with(')');
                for (path, name) in tree(text.trim_start_matches("use")) {
                    let path = self.absolute(module, &path);
                    let handed_on = Some(name).filter(|_| is_public);
                    imports.extend(path.map(|path| Import { path, handed_on }));
                }
            } else if is_path(before, rest) {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let path: String = rest.chars().take_while(|c| is_part(*c)).collect();
                let parts = path.split("::").filter(|part| !part.is_empty());
                let path: Vec<String> = parts.map(str::to_owned).collect();
                imports.extend(self.absolute(module, &path).map(|path| Import {
                    path,
                    handed_on: None,
                }));
            }
        }
        imports
    }

    /// A path from the crate's root; none into another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let first = path.first()?.as_str();
        let mut base = module.clone();
        let mut rest = path;
        match first {
            "crate" => {
                base.truncate(1);
                rest = path.get(1..)?;
            }
            "self" => rest = path.get(1..)?,
            "super" => {
                while let Some(("super", after)) = rest
                    .split_first()
                    .map(|(first, after)| (first.as_str(), after))
                {
                    base.pop();
                    rest = after;
                }
            }
            _ => {
                base.push(first.to_owned());
                let is_child = self.0.contains_key(&base);
                base.pop();
                if !is_child {
                    return None;
                }
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module that has what a path names, through those that hand it on.
    fn home(
        &self,
        imports: &BTreeMap<&Module, Vec<Import>>,
        path: &[String],
        hands: usize,
    ) -> Module {
        let mut length = path.len();
        while length > 1 && !self.0.contains_key(path.get(..length).unwrap_or_default()) {
            length -= 1;
        }
        let (module, rest) = path.split_at(length);
        let module = module.to_vec();
        let Some((name, after)) = rest.split_first().filter(|_| hands > 0) else {
            return module;
        };
        let named = imports.get(&module).into_iter().flatten();
        let mut handed_on = named.filter(|import| import.handed_on.as_ref() == Some(name));
        match handed_on.next() {
            Some(import) => {
                let path = [import.path.as_slice(), after].concat();
                self.home(imports, &path, hands - 1)
            }
            None => module,
        }
    }
}

/// The code of a formatted source: its lines but for comments and what stands under `#[cfg(test)]`.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            for line in lines.by_ref() {
                if line == end
                    || line.ends_with(';') && line.len() - line.trim_start().len() == indent
                {
                    break;
                }
            }
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// Returns true when a path begins with the word at the start of `rest`. The path does not go on
/// there, and is not a visibility.
fn is_path(before: &str, rest: &str) -> bool {
    let goes_on = before.ends_with("::") || before.ends_with('$') || before.ends_with("(in");
    !goes_on && (rest.starts_with("crate::") || rest.starts_with("super::"))
}

/// The words of a code, each with its place.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let pieces = code.split(move |c| !is_word(c));
    pieces
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr().addr() - code.as_ptr().addr(), word))
}

/// The paths of a use tree, each with the name that it gets.
fn tree(text: &str) -> Vec<(Vec<String>, String)> {
    let text = text.trim();
    let Some((before, inner)) = text.split_once('{') else {
        let (path, alias) = text.split_once(" as ").unwrap_or((text, ""));
        let mut path: Vec<String> = path.split("::").map(|it| it.trim().to_owned()).collect();
        if path.len() > 1 {
            path.pop_if(|last| last == "self");
        }
        let last = path.last().cloned().unwrap_or_default();
        let name = if alias.is_empty() {
            last
        } else {
            alias.trim().to_owned()
        };
        return vec![(path, name)];
    };
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let prefix = before.trim().trim_end_matches("::");
    let prefix: Vec<String> = prefix
        .split("::")
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect();
    let mut paths = Vec::new();
    for part in parts(inner) {
        for (path, name) in tree(part) {
            let is_self = path == ["self"];
            let rest = if is_self { Vec::new() } else { path };
            paths.push(([prefix.as_slice(), &rest].concat(), name));
        }
    }
    paths
}

/// The parts of a list, which commas outside of braces divide.
fn parts(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let divides = move |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    list.split(divides)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The sets of modules that reach each other.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = arrows
        .keys()
        .map(|module| (module, reach(arrows, module)))
        .collect();
    let mut circles: Vec<BTreeSet<Module>> = Vec::new();
    for (module, others) in &reached {
        let reaches_back =
            |other: &&&Module| reached.get(**other).is_some_and(|it| it.contains(*module));
        let circle: BTreeSet<Module> = others
            .iter()
            .filter(reaches_back)
            .map(|other| (*other).clone())
            .collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// The modules that one reaches, in any number of steps.
fn reach<'a>(
    arrows: &'a BTreeMap<Module, BTreeSet<Module>>,
    module: &'a Module,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = arrows.get(module).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(arrows.get(module).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let mut sources = Sources::default();
        for (path, text) in files {
            let module = path.split('/').map(str::to_owned).collect();
            sources.add(module, text);
        }
        sources.check()
    }

    #[test]
    fn modules_that_import_each_other_are_named() {
        for import in [
            "use super::a::A;\n",
            "use crate::a::A;\n",
            "use crate::{a::{A, B}, c};\n",
            "    use super::a as other;\n",
            "fn b() -> crate::a::A {}\n",
            "use crate::A;\n",
        ] {
            let files = [
                ("x", "mod a;\nmod b;\n\npub use a::A;\n"),
                ("x/a", "use super::b::{\n    B,\n    C,\n};\n"),
                ("x/b", import),
                ("x/c", ""),
            ];
            assert_eq!(
                violations(&files),
                ["x/a, x/b import each other"],
                "{import}"
            );
        }
    }

    #[test]
    fn a_longer_circle_is_named_and_so_is_one_with_a_parent() {
        let files = [
            ("x", "use a::A;\n"),
            ("x/a", "use super::b::B;\n"),
            ("x/b", "use std::fmt;\nuse super::X;\n"),
        ];
        assert_eq!(violations(&files), ["x, x/a, x/b import each other"]);
    }

    #[test]
    fn arrows_that_run_one_way_are_fine() {
        for import in [
            "",
            "use std::a::A;\nuse super::c::C;\n",
            "// use super::a::A;\n",
            "#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}\n",
            "#[cfg(test)]\nuse super::a::A;\n",
        ] {
            let files = [
                ("x", "mod a;\nmod b;\n\npub use a::A;\npub use b::B;\n"),
                ("x/a", "use super::b::B;\n"),
                ("x/b", import),
                ("x/c", ""),
                ("x/b/tests", "use crate::a::A;\n"),
            ];
            assert_eq!(violations(&files), Vec::<String>::new(), "{import}");
        }
    }
}
