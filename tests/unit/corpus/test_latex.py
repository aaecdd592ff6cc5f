"""The text of papers: small ones as authors write them, what must come out written by hand."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hominis.corpus.latex.paper import paper, papers

LIMIT = 10**6


def body(text, preamble="", **more):
    source = f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{text}\n\\end{{document}}\n"
    found = paper({name: content.encode() for name, content in {"main.tex": source, **more}.items()}, LIMIT)
    assert found.reason == ""
    return found.text


WHOLE = r"""% Draft of 3 May
\documentclass[12pt]{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}  % for align
\newcommand{\R}{\mathbb{R}}
\newcommand{\norm}[1]{\left\| #1 \right\|}
\newcommand{\inner}[2][V]{\langle #2 \rangle_{#1}}
\DeclareMathOperator*{\argmin}{arg\,min}
\def\eps{\varepsilon}
\title{On the {\bf norm} of\\ things\thanks{Supported by nobody.}}
\author{A. Author\thanks{a@example.org} \and B. Author}
\date{\today}
\begin{document}
\maketitle
\begin{abstract}
We bound $\norm{x}$ by 5\% % or was it 6?
of the whole.
\end{abstract}

\section{Introduction}\label{sec:intro}
%%%%%%%%%%%%%%%%%%%%%%%%%
Let $x\in\R^n$ and $\eps>0$. See~\cite{knuth} and \eqref{eq:one}.
\begin{equation}\label{eq:one}
  \hat\eps = \argmin_{x \in \R} \inner{x,y} + \inner[W]{x}
\end{equation}

\begin{figure}[t]
  \centering
  \includegraphics[width=0.5\textwidth]{plot.pdf}
  \vspace{-2mm}
  \caption{The plot of $\norm{f}$.}
\end{figure}

\noindent The end.
\newpage
\bibliographystyle{plain}
\bibliography{refs}
\appendix
\section{Proofs}
Not here.
\end{document}
Nor this.
"""

WHOLE_TEXT = r"""\begin{abstract}
We bound $\left\| x \right\|$ by 5\%
of the whole.
\end{abstract}

\section{Introduction}\label{sec:intro}
Let $x\in\mathbb{R}^n$ and $\varepsilon>0$. See~\cite{knuth} and \eqref{eq:one}.
\begin{equation}\label{eq:one}
  \hat{\varepsilon} = \operatorname*{arg\,min}_{x \in \mathbb{R}} \langle x,y \rangle_{V} + \langle x \rangle_{W}
\end{equation}

\begin{figure}[t]
  \caption{The plot of $\left\| f \right\|$.}
\end{figure}

The end."""


def test_paper_becomes_its_body():
    found = paper({"ms.tex": WHOLE.encode()}, LIMIT)
    assert (found.main, found.title, found.reason) == ("ms.tex", "On the norm of things", "")
    assert found.text == WHOLE_TEXT


def test_paper_of_latex_209_is_read():
    old = "\\documentstyle[prl,aps]{revtex}\n\\begin{document}\n\\title{Old}\n\\address{CERN}\nText.\n\\end{document}"
    found = paper({"old.tex": old.encode()}, LIMIT)
    assert (found.text, found.title) == ("Text.", "Old")


@pytest.mark.parametrize("end", ["\\bye", "\\end", "\\vfill\\eject\\end\n"])
def test_paper_of_plain_tex_is_read_up_to_its_end(end):
    plain = f"\\magnification=1200\n\\def\\R{{{{\\bf R}}}}\n\\input epsf\nLet $x\\in\\R$.\n{end}\nrubbish"
    assert paper({"p.tex": plain.encode()}, LIMIT).text == "Let $x\\in{\\bf R}$."


def test_paper_of_amstex_begins_at_its_document():
    text = (
        "\\input amstex\n\\documentstyle{amsppt}\n\\topmatter\nno\n\\endtopmatter\n\\document\nYes.\n\\enddocument\nno"
    )
    assert paper({"p.tex": text.encode()}, LIMIT).text == "Yes."


def test_files_without_a_document_are_no_paper():
    found = paper({"notes.tex": b"Some \\emph{notes}.", "x.sty": b"\\def\\x{y}"}, LIMIT)
    assert (found.reason, found.main, found.text) == ("no_main_file", "notes.tex", "Some \\emph{notes}.")


# Comments and verbatim text


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("a % b\nc", "a\nc"),
        ("50\\% of\\\\% no\nthis", "50\\% of\\\\\nthis"),
        ("one\n  % a whole line\ntwo", "one\ntwo"),
        ("exam%\n  ple", "example"),
        ("\\alpha%\nbeta", "\\alpha\nbeta"),
        ("one.%\n\ntwo", "one.\n\ntwo"),
        ("\\verb|50% x| y", "\\verb|50% x| y"),
        ("\\verb*+%+ % z", "\\verb*+%+"),
        ("\\verbose % z", "\\verbose"),
        ("\\url{http://x.org/a%20b} % z", "\\url{http://x.org/a%20b}"),
        ("a\n\\begin{verbatim}\n\\input{x} % kept\n\\end{verbatim}\nb",) * 2,
        ('\\begin{lstlisting}[language=C]\nprintf("%d");\n\\newcommand\n\\end{lstlisting}',) * 2,
        ("a\n\\begin{comment}\nb } {\n\\end{comment}\nc", "a\nc"),
        ("% \\begin{verbatim}\nx % y", "x"),
        ("\\begin{verbatim} % never ends", "\\begin{verbatim}"),
        ("a\\iffalse b \\iftrue c \\fi d \\fi e", "a e"),
        ("\\iftrue a \\else b \\fi c", "a c"),
        ("$x \\iff y$ \\iffalse z \\fi", "$x \\iff y$"),
    ],
)
def test_comments_go_and_verbatim_text_stays(given_text, wanted):
    assert body(given_text) == wanted


# Macros


@pytest.mark.parametrize(
    ("preamble", "given_text", "wanted"),
    [
        ("\\newcommand\\be{\\begin{equation}}\n\\newcommand{\\ee}{\\end{equation}}",
         "\\be x \\ee", "\\begin{equation} x \\end{equation}"),
        ("\\def\\pair#1#2{(#1,#2)}", "\\pair xy, \\pair{a b}\\alpha", "(x,y), (a b,\\alpha)"),
        ("\\newcommand{\\vect}[1]{\\mathbf #1}", "$\\vect{x}\\vect\\alpha$", "$\\mathbf x\\mathbf \\alpha$"),
        ("\\def\\v#1{\\mathbf#1}", "$\\v{x}$", "$\\mathbf x$"),
        ("\\newcommand{\\a}{\\alpha}\\newcommand\\x{x}", "$\\a\\x$ \\alpha\\x", "$\\alpha x$ \\alpha x"),
        ("\\def\\x{x+1}", "$\\frac\\x2 \\sqrt\\x \\in\\x$", "$\\frac{x+1}2 \\sqrt{x+1} \\in x+1$"),
        ("\\newcommand{\\name}{HAL\\xspace}", "\\name is \\name{} and \\name.", "HAL is HAL and HAL."),
        ("\\newcommand{\\TeXs}{\\TeX}", "\\TeXs{}nical", "\\TeX{}nical"),
        ("\\newcommand{\\one}[1]{\\inner{#1}!}\\newcommand{\\inner}[1]{<#1>}", "\\onee \\inner{a}", "\\onee <a>"),
        ("\\newcommand{\\one}[1]{\\two{#1}!}\\newcommand{\\two}[1]{<#1>}", "\\one{a \\one{b}}", "<a <b>!>!"),
        ("\\newcommand{\\o}[2][d]{#1-#2}", "\\o{a} \\o[x]{b} \\o[{]}]{c}", "d-a x-b {]}-c"),
        ("\\let\\eps=\\varepsilon \\let\\E\\eps", "$\\eps\\E$", "$\\varepsilon\\varepsilon$"),
        ("\\def\\v#1{<#1#1>}", "\\v\\verb|x%|.", "<\\verb|x%|>."),
        ("\\newcommand{\\x}{a}", "\\x \\renewcommand{\\x}{b}\\x", "a b"),
        ("\\NewDocumentCommand{\\p}{m m}{#1/#2}", "\\p{a}{b}", "a/b"),
        ("\\newif\\ifdraft \\drafttrue", "\\ifdraft a\\else b\\fi. \\draftfalse\\ifdraft a\\else b\\fi", "a. b"),
        ("\\newcommand{\\q}[1]{\\ensuremath{#1}}", "\\q{a \\q{b}}", "\\ensuremath{a b}"),
        ("\\newcommand{\\q}{\\ensuremath{m}}", "$2\\q$ \\$ \\q \\[\\q\\] \\q",
         "$2m$ \\$ \\ensuremath{m} \\[m\\] \\ensuremath{m}"),
        ("\\def\\q{\\ensuremath m}", "\\begin{align*}\\q\\\\[1pt]\\q\\end{align*} \\q 5$\n\n\\q",
         "\\begin{align*}m\\\\[1pt]m\\end{align*} \\ensuremath{m} 5$\n\n\\ensuremath{m}"),
        ("\\renewcommand{\\section}[1]{\\textbf{#1}}", "\\section{A}", "\\section{A}"),
    ],
)  # fmt: skip
def test_simple_macros_are_expanded(preamble, given_text, wanted):
    assert body(given_text, preamble) == wanted


@pytest.mark.parametrize(
    "definition",
    [
        "\\newcommand{\\m}[1]{\\ifx#1a b\\else c\\fi}",
        "\\def\\m#1.{<#1>}",
        "\\newcommand{\\m}{\\raise2pt\\hbox{x}}",
        "\\def\\m{\\@ifnextchar[{\\mm}{\\mmm}}",
        "\\NewDocumentCommand{\\m}{s m}{x}",
        "\\newcommand{\\m}[1]{#2}",
        "\\newcommand{\\m}{\\def\\x{y}}",
    ],
)
def test_complicated_macros_stay_in_the_text_and_their_definitions_go(definition):
    assert body(f"{definition}a \\m{{b}}. c") == "a \\m{b}. c"


def test_macro_that_calls_itself_ends():
    assert len(body("\\x", "\\def\\x{a\\x}")) < 100
    assert len(body("\\x", "\\def\\x{\\x\\x\\y}\\def\\y{\\x\\x}")) < 200_000


def test_long_style_file_leaves_enough_for_the_text():
    style = "\\def\\R{\\mathbb{R}}\n" + "".join(f"\\def\\my@{i}{{x{{y}}}}\n" for i in range(40_000))
    assert body("\\R " * 9 + "\\bibliography{x}", "\\usepackage{s}\\usepackage{s}", **{"s.sty": style}).endswith(
        "bb{R}"
    )


def test_revised_paper_wrapped_in_macros_is_read_to_its_end():
    text = "\\old{\\new{" + "Some {words} of \\name. " * 4_000 + "}}\n\\appendix\nno"
    wanted = "{Some {words} of X. "
    assert body(text, "\\def\\old#1{#1}\\def\\new#1{{\\color{red}#1}}\\def\\name{X}").startswith(wanted)


def test_macros_come_from_files_of_the_papers_own():
    text = body("$\\R\\Q\\Z$", "\\input{macros}\n\\usepackage{mine,amsmath}", **{
        "macros.tex": "\\newcommand{\\R}{\\mathbb{R}}\n",
        "mine.sty": "\\ProvidesPackage{mine}\\RequirePackage{x}\\def\\Q{\\mathbb{Q}}\\def\\my@z{}\\def\\Z{\\my@z}\n",
    })  # fmt: skip
    assert text == "$\\mathbb{R}\\mathbb{Q}\\Z$"


# What is no text


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("a\n\\begin{tikzpicture}\n\\draw (0,0);\n\\end{tikzpicture}\nb", "a\nb"),
        ("a \\vspace*{1cm}b\\vskip 0.2in plus 1fil c", "a b c"),
        ("a\\newpage b", "a b"),
        ("\\textcolor{red}{a} \\textcolor[rgb]{1,0,0}{b $c$}{\\color{red} d}", "a b $c${ d}"),
        ("\\author[1]{X \\thanks{y {z}}}\\email{x@y.z}\\keywords{one, two}", "\\keywords{one, two}"),
        ("a\n\\begin{thebibliography}{9}\\bibitem{x} y\\end{thebibliography}\nb", "a"),
        ("a\n\\begin{references}\nb\\end{references}", "a"),
        ("a\n\\appendix\n\\section{B}", "a"),
        ("a\n\\printbibliography\nb", "a"),
        ("a\n\\input{paper.bbl}\nb", "a"),
        ("a\\footnote{kept} \\cite[p.~3]{b} \\index{a}c", "a\\footnote{kept} \\cite[p.~3]{b} c"),
        ("\\newtheorem{thm}{Theorem}[section]\n\\begin{thm}[Zorn] T.\\end{thm}", "\\begin{thm}[Zorn] T.\\end{thm}"),
        ("\\newenvironment{x}[1][y]{a}{b}c", "c"),
        ("a\n\n\n\n\nb   \n", "a\n\nb"),
        ("\\resizebox{1cm}{!}{\n\\begin{tabular}{c}x\\end{tabular}}", "\\begin{tabular}{c}x\\end{tabular}"),
        ("\\IEEEPARstart{T}{his} \\lettrine[lines=2]{T}{hat}", "This That"),
        (
            "\\twocolumn[\\icmltitle{T}\\icmlauthor{A}{b}\n\\begin{abstract}A\\end{abstract}]\nB",
            "\\begin{abstract}A\\end{abstract}\nB",
        ),
        ("\\end{my-env} goes on", "\\end{my-env} goes on"),
    ],
)
def test_what_is_no_text_goes(given_text, wanted):
    assert body(given_text) == wanted


# Files


def test_inputs_are_resolved_in_their_places():
    text = body(
        "\\input{a}\n\\include{sections/b}\n\\input sections/c.tex \nend\n\\input{nowhere} \\includegraphics{a}",
        **{
            "a.tex": "A\n\\endinput\nnot this",
            "sections/b.tex": "B \\input{d}% \\input{a}",
            "sections/d.tex": "D",
            "sections/c.tex": "C",
        },
    )
    assert text == "A\n\nB D\nC\nend"


def test_subfiles_and_imports_give_their_bodies():
    sub = "\\documentclass[../main]{subfiles}\n\\begin{document}\nSub \\input{e}\n\\end{document}\n"
    found = paper(
        {
            "p/main.tex": b"\\documentclass{book}\\begin{document}\\subfile{x/s}\n\\import{x/}{i}\\end{document}",
            "p/x/s.tex": sub.encode(),
            "p/x/e.tex": b"E",
            "p/x/i.tex": b"I",
        },
        LIMIT,
    )
    assert (found.main, found.text) == ("p/main.tex", "Sub E\n\nI")


def test_cycles_and_exponential_inputs_end():
    assert body("x \\input{a}", **{"a.tex": "a \\input{b}", "b.tex": "b \\input{a} \\input{main}"}) == "x a b"
    bomb = {f"f{i}.tex": f"\\input{{f{i + 1}}}" * 20 for i in range(15)} | {"f15.tex": "boom " * 100}
    assert len(body("\\input{f0}", **bomb)) <= LIMIT


def test_names_that_lead_outside_are_nothing():
    files = {"../secret.tex": "secret", "/etc/x.tex": "secret", "a/../../secret.tex": "secret", "a/../ok.tex": "ok"}
    text = body("x \\input{../secret}\\input{/etc/x}\\input{../../secret.tex} \\input{ok}", **files)
    assert text == "x  ok"


TOPLEVEL = '{"sources": [{"filename": "b.tex", "usage": "toplevel"}, {"filename": "a.tex"}]}'


@pytest.mark.parametrize(
    ("files", "main"),
    [
        ({"a.tex": "long " * 9, "b.tex": ""}, "a.tex"),
        ({"a.tex": "long " * 9, "paper.tex": ""}, "paper.tex"),
        ({"paper.tex": "", "ms.tex": ""}, "ms.tex"),
        ({"sub/ms.tex": "", "main.tex": ""}, "sub/ms.tex"),
        ({"x/a.tex": "long " * 9, "b.tex": ""}, "b.tex"),
        ({"a.tex": "", "b.tex": "", "00README.XXX": "b.tex toplevelfile\n"}, "b.tex"),
        ({"a.tex": "", "b.tex": "", "00README.XXX": "a.tex ignore"}, "b.tex"),
        ({"a.tex": "", "b.tex": "", "00README.json": TOPLEVEL}, "b.tex"),
        ({"ms.tex": "", "b.tex": "\\input{ms}"}, "b.tex"),
        ({"paper": ""}, "paper"),
    ],
)  # fmt: skip
def test_main_file_is_chosen_by_rules(files, main):
    whole = "\\documentclass{{article}}\\begin{{document}}{}\\end{{document}}"
    contents = {n: (t if n.startswith("00") else whole.format(t + "text")).encode() for n, t in files.items()}
    assert paper(contents, LIMIT).main == main


def test_figures_of_their_own_class_are_no_paper():
    files = {
        "ms2.tex": b"\\documentclass{article}\\begin{document}text\\end{document}",
        "main.tex": b"\\documentclass[tikz]{standalone}\\begin{document}drawing drawing drawing\\end{document}",
    }
    assert paper(files, LIMIT).main == "ms2.tex"


def test_project_gives_every_paper_and_names_what_none_uses():
    one = b"\\documentclass{article}\\begin{document}One \\input{part}\\end{document}"
    two = b"\\documentclass{article}\\begin{document}Two\\end{document}"
    found = list(papers({"a/one.tex": one, "a/part.tex": b"part", "b/two.tex": two, "c/left.tex": b"left"}, LIMIT))
    assert [(p.main, p.text, p.reason) for p in found] == [
        ("a/one.tex", "One part", ""),
        ("b/two.tex", "Two", ""),
        ("c/left.tex", "left", "no_main_file"),
    ]


# Encodings


@pytest.mark.parametrize(
    ("option", "codec"), [("utf8", "utf-8"), ("latin1", "cp1252"), ("latin2", "iso8859-2"), ("cp1251", "cp1251")]
)
def test_text_in_a_declared_encoding_is_read(option, codec):
    word = {"latin2": "Łódź", "cp1251": "Мир"}.get(option, "Perché")
    source = f"\\documentclass{{x}}\\usepackage[{option}]{{inputenc}}\\begin{{document}}{word}\\end{{document}}"
    assert paper({"a.tex": source.encode(codec)}, LIMIT).text == word


def test_undeclared_8_bit_text_is_latin_1_and_line_ends_are_one():
    source = b"\\documentclass{x}\r\\begin{document}\r\ncaf\xe9\r\rna\x00\x01\x1a\xefve\x81\\end{document}"
    assert paper({"a.tex": source}, LIMIT).text == "café\n\nnaïve\x81"


# Any input

PIECES = [
    "\\newcommand", "\\def", "\\let", "\\x", "\\y", "#1", "##", "{", "}", "[", "]", "%", "\n", "\n\n", " ", "$", "\\",
    "\\begin{", "\\end{", "verbatim}", "document}", "tikzpicture}", "comment}", "equation}", "\\verb|", "|", "\\input{",
    "main", "\\iffalse", "\\iftrue", "\\else", "\\fi", "\\newif\\ifx", "\\title{", "\\author{", "\\vskip", "1pt", "*",
    "\\section{A}", "\\usepackage{s}", "\\ensuremath", "\\frac", "é", "\x00", "\x01", "0\x00", "\\DeclareMathOperator",
]  # fmt: skip
latex = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@settings(max_examples=100, deadline=None)
@given(latex, latex, latex)
@example("", "{" * 3000, "")
@example("\\def\\x#1{#1#1}", "\\x{" * 300, "")
def test_any_latex_gives_bounded_text_without_marks(preamble, text, style):
    source = f"\\documentclass{{a}}{preamble}\\begin{{document}}{text}"
    found = paper({"main.tex": source.encode(), "s.sty": style.encode()}, LIMIT)
    assert found.reason in ("", "no_main_file")
    assert len(found.text) <= 8 * (len(source) + len(style)) + 60_000
    assert not set(found.text + found.title) & {"\x00", "\x01"}


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=200), max_size=4))
def test_any_files_are_a_paper_or_none(files):
    assert paper(files, LIMIT).reason in ("", "no_main_file")


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from([0, 1, 5, 50, 400]), st.sampled_from(PIECES), st.sampled_from([0, 1, 30])
    ),
    max_size=12,
)


def altered(text, edits):
    """The text with some of it taken out and other pieces put in, time and again."""
    for where, gone, piece, times in edits:
        at = int(where * len(text))
        text = text[:at] + piece * times + text[at + gone :]
    return text


@settings(max_examples=100, deadline=None)
@given(EDITS, EDITS)
def test_a_paper_with_anything_changed_is_read_in_bounded_text(edits, others):
    text = WHOLE.replace("\\maketitle", "\\usepackage{s}\\input{part}\\input{main}")
    files = {"main.tex": altered(text, edits), "part.tex": altered(WHOLE, others), "s.sty": altered(WHOLE, edits)}
    contents = {name: content.encode() for name, content in files.items()}
    size = sum(map(len, contents.values()))
    for found in (paper(contents, LIMIT), *papers(contents, LIMIT)):
        assert found.reason in ("", "no_main_file")
        assert len(found.text) <= 8 * size + 60_000
        assert not set(found.text + found.title) & {"\x00", "\x01"}


def test_no_paper_becomes_far_more_than_a_document_may_be():
    doubles = "\\documentclass{a}\\def\\x#1{#1#1#1#1#1#1#1#1}\\begin{document}"
    source = doubles + "\\x{word word word word word}" * 300_000
    length = len(paper({"main.tex": source.encode()}, 32 * 2**20).text)
    assert length < len(source) + 32 * 2**20


WORDS = st.lists(st.text(st.characters(exclude_characters="\\%#{}$", exclude_categories=("C", "Z")), min_size=1))


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_text_without_commands_keeps_its_words(words):
    assert body(" ".join(words)).split() == " ".join(words).split()


@pytest.mark.parametrize(
    "piece",
    [
        "{", "}", "\\x{", "\\x[", "\\x", "\\y", "%", "% \n", "\\begin{verbatim}", "\\verb|", "\\url{", "\\iffalse ",
        "\\newif\\ifa", "\\iftrue\\else", "\\def\\x{", "\\newcommand{\\x}[1]", "\\begin{tikzpicture}", "\\input{a", " ",
        "\\title{", "\\vskip 1", "1", "\t\n", "\\", "\\\\", "\\author[{", "\\end ", "$", "\\ensuremath{", "\\z[{",
    ],
)  # fmt: skip
def test_time_grows_with_the_length_of_the_worst_inputs(piece):
    definitions = "\\def\\x#1{#1#1}\\def\\y{\\y\\y}\\newcommand\\z[2][]{#1#2}"

    def seconds(length):
        source = f"\\documentclass{{a}}{definitions}\\begin{{document}}{piece * (length // len(piece))}"
        begun = time.process_time()
        paper({"main.tex": source.encode()}, LIMIT)
        return time.process_time() - begun

    assert seconds(40_000) < 2.5 + 12 * seconds(10_000)
