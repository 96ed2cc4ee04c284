//! The modules of a crate: the file of each, its definitions, its imports, and the paths in its
//! code.

use std::collections::{BTreeMap, BTreeSet};

use crate::tokens::{Token, tokens};

/// The source of a crate: the text of each file by its path below `src`.
pub(crate) type Files = BTreeMap<String, String>;

/// A crate as a tree of modules. The first is its root.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
    /// Paths, without `.rs`, below which the modules are for tests.
    tests: BTreeSet<String>,
}

/// A module, in its own file or inside another one.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    /// Modules by name. Two have one name if `cfg` chooses between them.
    pub(crate) children: Vec<(String, usize)>,
    pub(crate) defined: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// The paths of at least two segments in the code.
    pub(crate) paths: Vec<Vec<String>>,
    /// The folder of its children, with a final `/` if it is not the root.
    folder: String,
}

/// One leaf of a `use`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// The name in this module: `*` for all names, `_` for none.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
}

impl Crate {
    /// Reads the crate with the root `lib.rs`. Panics if the file of a module is missing.
    pub(crate) fn read(files: &Files) -> Self {
        let mut it = Self::default();
        it.read_file(files, None, "lib.rs", "");
        it
    }

    /// The files that belong to no module, without binaries and tests.
    pub(crate) fn unread<'f>(&self, files: &'f Files) -> Vec<&'f str> {
        let read: BTreeSet<&str> = self.modules.iter().map(|module| module.file.as_str()).collect();
        let is_test = |file: &str| {
            let of = |test: &String| {
                file.strip_prefix(test.as_str()).is_some_and(|it| it == ".rs" || it.starts_with('/'))
            };
            self.tests.iter().any(of)
        };
        let names = files.keys().map(String::as_str);
        names.filter(|file| !read.contains(file) && !file.starts_with("bin/") && !is_test(file)).collect()
    }

    fn read_file(&mut self, files: &Files, parent: Option<usize>, file: &str, folder: &str) -> usize {
        let text = files.get(file).unwrap_or_else(|| panic!("{file}: no such file"));
        let module = self.add(parent, file, folder);
        let tokens = tokens(text);
        let mut reader = Reader { files, krate: self, tokens: &tokens, at: 0 };
        while reader.at < tokens.len() {
            reader.read(module, false);
        }
        module
    }

    fn add(&mut self, parent: Option<usize>, file: &str, folder: &str) -> usize {
        let module = Module { parent, file: file.to_owned(), folder: folder.to_owned(), ..Module::default() };
        self.modules.push(module);
        self.modules.len() - 1
    }
}

struct Reader<'f> {
    files: &'f Files,
    krate: &'f mut Crate,
    tokens: &'f [Token],
    at: usize,
}

impl Reader<'_> {
    /// Reads up to the next closing brace, or to the end. A name defined in a body is not a name of
    /// the module.
    fn read(&mut self, module: usize, is_body: bool) {
        while let Some(token) = self.next() {
            match token {
                Token::Mark('{') => self.read(module, true),
                Token::Mark('}') => return,
                Token::Mark('#') if self.is_attribute() => {
                    if self.attribute() {
                        self.skip_item(module);
                    }
                }
                Token::Mark(_) => {}
                // A path that begins with `::` leads out of the crate.
                Token::PathSep => drop(self.path(String::new())),
                Token::Name(name) => match name.as_str() {
                    "use" if !self.peek().is_some_and(|it| it.is_mark('<')) => {
                        let mut imports = Vec::new();
                        self.tree(&[], &mut imports);
                        self.krate.modules[module].imports.append(&mut imports);
                    }
                    "mod" if !is_body => self.module(module),
                    "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" if !is_body => {
                        self.define(module);
                    }
                    "macro_rules" if !is_body => {
                        self.at += 1;
                        self.define(module);
                    }
                    _ => {
                        let path = self.path(name);
                        if path.len() > 1 && path[0] != "Self" {
                            self.krate.modules[module].paths.push(path);
                        }
                    }
                },
            }
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn name(&mut self) -> Option<String> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return None };
        self.at += 1;
        Some(name)
    }

    /// Takes the name after a keyword. It may be another keyword, as in `const fn`.
    fn define(&mut self, module: usize) {
        const KEYWORDS: [&str; 7] = ["fn", "async", "unsafe", "extern", "mut", "_", "dyn"];
        if let Some(Token::Name(name)) = self.peek().cloned()
            && !KEYWORDS.contains(&name.as_str())
        {
            self.krate.modules[module].defined.insert(name);
            self.at += 1;
        }
    }

    /// Takes the rest of a path after its first name.
    fn path(&mut self, first: String) -> Vec<String> {
        let mut path = vec![first];
        if path[0].is_empty() {
            path.extend(self.name());
        }
        while let [Token::PathSep, Token::Name(name), ..] = &self.tokens[self.at.min(self.tokens.len())..] {
            path.push(name.clone());
            self.at += 2;
        }
        path
    }

    /// Takes one tree of a `use`, up to a comma, a closing brace or a semicolon.
    fn tree(&mut self, prefix: &[String], imports: &mut Vec<Import>) {
        let mut path = prefix.to_vec();
        // `::name` is a crate. The empty segment prevents a lookup here.
        if self.peek() == Some(&Token::PathSep) {
            path.push(String::new());
        }
        loop {
            match self.next() {
                Some(Token::Name(name)) if name == "as" => {
                    let name = self.name().unwrap_or_default();
                    imports.push(Import { name, path: without_self(path) });
                    return;
                }
                Some(Token::Name(name)) => path.push(name),
                Some(Token::Mark('*')) => {
                    imports.push(Import { name: "*".to_owned(), path });
                    return;
                }
                Some(Token::Mark('{')) => {
                    while self.peek().is_some_and(|it| !it.is_mark('}')) {
                        self.tree(&path, imports);
                        self.at += usize::from(self.peek().is_some_and(|it| it.is_mark(',')));
                    }
                    self.at += 1;
                    return;
                }
                Some(Token::PathSep | Token::Mark('$')) => {}
                // The end of this tree belongs to the caller.
                _ => {
                    self.at -= 1;
                    let path = without_self(path);
                    let name = path.last().cloned().unwrap_or_default();
                    imports.push(Import { name, path });
                    return;
                }
            }
        }
    }

    fn module(&mut self, parent: usize) {
        let Some(name) = self.name() else { return };
        let within = &self.krate.modules[parent];
        let (path, file) = (format!("{}{name}", within.folder), within.file.clone());
        let folder = format!("{path}/");
        let child = match self.next() {
            Some(Token::Mark('{')) => {
                let child = self.krate.add(Some(parent), &file, &folder);
                self.read(child, false);
                child
            }
            _ => {
                let file = [format!("{path}.rs"), format!("{path}/mod.rs")]
                    .into_iter()
                    .find(|file| self.files.contains_key(file));
                let file = file.unwrap_or_else(|| panic!("{path}: no file of this module"));
                self.krate.read_file(self.files, Some(parent), &file, &folder)
            }
        };
        self.krate.modules[parent].children.push((name, child));
    }

    fn is_attribute(&self) -> bool {
        let ahead = |by: usize, mark| self.tokens.get(self.at + by).is_some_and(|it| it.is_mark(mark));
        ahead(0, '[') || ahead(0, '!') && ahead(1, '[')
    }

    /// Takes an attribute. Returns whether its item is compiled for tests only.
    fn attribute(&mut self) -> bool {
        self.at += usize::from(self.peek().is_some_and(|it| it.is_mark('!')));
        let start = self.at + 1;
        self.skip_group();
        let inner = &self.tokens[start..self.at - 1];
        matches!(inner, [Token::Name(cfg), Token::Mark('('), condition @ .., Token::Mark(')')]
            if cfg == "cfg" && wants_tests(condition))
    }

    /// Takes a bracketed group of any kind with its contents.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.next() {
            match token {
                Token::Mark('(' | '[' | '{') => depth += 1,
                Token::Mark(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Takes the target of an attribute: an item, a statement, a field or an arm. Records a module
    /// of tests.
    fn skip_item(&mut self, module: usize) {
        const ITEMS: [&str; 13] = [
            "async",
            "const",
            "enum",
            "extern",
            "fn",
            "impl",
            "let",
            "macro_rules",
            "mod",
            "static",
            "struct",
            "type",
            "use",
        ];
        while self.peek().is_some_and(|it| it.is_mark('#')) {
            self.at += 1;
            self.attribute();
        }
        let mut is_item = false;
        while let Some(token) = self.peek().cloned() {
            match token {
                Token::Mark('(' | '[') => self.skip_group(),
                Token::Mark('{') => return self.skip_group(),
                Token::Mark(')' | ']' | '}') => return,
                Token::Mark(';') => return self.at += 1,
                Token::Mark(',') if !is_item => return self.at += 1,
                Token::Name(name) => {
                    is_item |= ITEMS.contains(&name.as_str());
                    self.at += 1;
                    if name == "mod"
                        && let Some(name) = self.name()
                    {
                        let path = format!("{}{name}", self.krate.modules[module].folder);
                        self.krate.tests.insert(path);
                    }
                }
                _ => self.at += 1,
            }
        }
    }
}

/// `a::{self}` is `a`.
fn without_self(mut path: Vec<String>) -> Vec<String> {
    if path.len() > 1 && path.last().is_some_and(|it| it == "self") {
        path.pop();
    }
    path
}

/// Whether a condition of `cfg` can be true in tests only.
fn wants_tests(condition: &[Token]) -> bool {
    match condition {
        [Token::Name(test)] => test == "test",
        [Token::Name(all), Token::Mark('('), inner @ .., Token::Mark(')')] if all == "all" => {
            parts(inner).any(wants_tests)
        }
        [Token::Name(any), Token::Mark('('), inner @ .., Token::Mark(')')] if any == "any" => {
            !inner.is_empty() && parts(inner).all(wants_tests)
        }
        _ => false,
    }
}

/// The parts of a list between commas outside of brackets.
fn parts(list: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0;
    list.split(move |token| {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && token.is_mark(',')
    })
    .filter(|part| !part.is_empty())
}
