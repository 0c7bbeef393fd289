//! Rust text split into what is code and what is comment. No parser: enough of the grammar to know one from the other.

/// Two views of one text, character by character and line by line as long as the text itself.
pub(super) struct Source {
    /// Comments are blanks; what is inside of quotes is filled with `_`.
    pub(super) code: String,
    /// All but comments is blanks.
    pub(super) comments: String,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut scanner =
            Scanner { rest: text.chars().collect(), code: String::new(), comments: String::new(), last: ' ' };
        scanner.rest.reverse();
        scanner.run();
        Self { code: scanner.code, comments: scanner.comments }
    }
}

struct Scanner {
    /// What is still to be read, the next character last.
    rest: Vec<char>,
    code: String,
    comments: String,
    /// The last character of code, to tell `r"raw"` from the end of a name.
    last: char,
}

#[derive(Clone, Copy)]
enum Class {
    Code,
    Comment,
    Quoted,
}

impl Scanner {
    fn run(&mut self) {
        while let Some(next) = self.peek(0) {
            match next {
                '/' if self.peek(1) == Some('/') => self.take_while(Class::Comment, |next| next != '\n'),
                '/' if self.peek(1) == Some('*') => self.take_block_comment(),
                '"' => self.take_string(),
                'r' if !is_name(self.last) || matches!(self.last, 'b' | 'c') => self.take_raw_string_or_name(),
                '\'' => self.take_character_or_lifetime(),
                _ => self.take(Class::Code),
            }
        }
    }

    /// The character that many places ahead.
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.iter().rev().nth(ahead).copied()
    }

    fn take(&mut self, class: Class) {
        let Some(next) = self.rest.pop() else { return };
        let (code, comment) = match class {
            _ if next == '\n' => ('\n', '\n'),
            Class::Code => (next, ' '),
            Class::Comment => (' ', next),
            Class::Quoted => ('_', ' '),
        };
        if matches!(class, Class::Code) {
            self.last = next;
        }
        self.code.push(code);
        self.comments.push(comment);
    }

    fn take_some(&mut self, class: Class, count: usize) {
        for _ in 0..count {
            self.take(class);
        }
    }

    fn take_while(&mut self, class: Class, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.take(class);
        }
    }

    /// Block comments nest.
    fn take_block_comment(&mut self) {
        let mut depth: usize = 0;
        while let Some(next) = self.peek(0) {
            match (next, self.peek(1)) {
                ('/', Some('*')) => depth = depth.saturating_add(1),
                ('*', Some('/')) => depth = depth.saturating_sub(1),
                _ => {
                    self.take(Class::Comment);
                    continue;
                }
            }
            self.take_some(Class::Comment, 2);
            if depth == 0 {
                return;
            }
        }
    }

    fn take_string(&mut self) {
        self.take(Class::Code);
        while let Some(next) = self.peek(0) {
            match next {
                '\\' => self.take_some(Class::Quoted, 2),
                '"' => return self.take(Class::Code),
                _ => self.take(Class::Quoted),
            }
        }
    }

    /// `r"…"`, `r#"…"#` and so on; `r#name` and names that begin with r are code.
    fn take_raw_string_or_name(&mut self) {
        let hashes = self.rest.iter().rev().skip(1).take_while(|next| **next == '#').count();
        if self.peek(hashes.saturating_add(1)) != Some('"') {
            return self.take(Class::Code);
        }
        self.take_some(Class::Code, hashes.saturating_add(2));
        while let Some(next) = self.peek(0) {
            let closing = self.rest.iter().rev().skip(1).take_while(|next| **next == '#').count();
            if next == '"' && closing >= hashes {
                return self.take_some(Class::Code, hashes.saturating_add(1));
            }
            self.take(Class::Quoted);
        }
    }

    /// `'a'` and `'\n'` are characters, `'a` is a lifetime.
    fn take_character_or_lifetime(&mut self) {
        self.take(Class::Code);
        if self.peek(0) == Some('\\') {
            self.take_some(Class::Quoted, 2);
            self.take_while(Class::Quoted, |next| next != '\'' && next != '\n');
            self.take(Class::Code);
        } else if self.peek(1) == Some('\'') {
            self.take(Class::Quoted);
            self.take(Class::Code);
        }
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Is the word there, and not as a part of a longer name?
pub(super) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at.saturating_add(word.len())..).and_then(|after| after.chars().next());
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_comments_are_told_apart() {
        for (text, code, comments) in [
            ("a // b\nc", "a     \nc", "  // b\n "),
            ("a /* b /* c */ d */ e", "a                   e", "  /* b /* c */ d */  "),
            (r#"f("// \" no") // yes"#, r#"f("________")       "#, r#"              // yes"#),
            (r##"r#"a"b"# + r"\" // c"##, r##"r#"___"# + r"_"     "##, r##"                // c"##),
            ("'\"' '{' '\\'' 'a str", "'_' '_' '__' 'a str", "                   "),
            ("r#fn bar\"x\" b\"{\"", "r#fn bar\"_\" b\"_\"", "                "),
            ("\"a\nb\" c", "\"_\n_\" c", "  \n    "),
            ("/// `it's` \"quoted\nx", "                  \nx", "/// `it's` \"quoted\n "),
        ] {
            let source = Source::new(text);
            assert_eq!(source.code, code, "code of {text}");
            assert_eq!(source.comments, comments, "comments of {text}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("an unsafe fn", "unsafe") && has_word("unsafe", "unsafe") && has_word("(unsafe)", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe") && !has_word("notunsafe", "unsafe"));
    }
}
