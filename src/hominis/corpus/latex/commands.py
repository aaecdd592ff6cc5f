"""Which commands and environments are no text of a paper."""

from __future__ import annotations

from hominis.corpus.latex.macros import Macro

_FORMS = {
    "": (
        "maketitle tableofcontents listoffigures listoftables newpage clearpage cleardoublepage noindent bigskip"
        " medskip smallskip vfill vfil eject goodbreak filbreak centering raggedright flushbottom raggedbottom sloppy"
        " fussy frenchspacing makeatletter makeatother onecolumn singlespacing doublespacing onehalfspacing"
        " linenumbers nolinenumbers FloatBarrier phantomsection IEEEpeerreviewmaketitle balance narrowtext widetext"
        " tightenlines nopagenumbers long outer global protect xspace frontmatter mainmatter backmatter leavevmode"
        " sloppypar tightlist"
    ),
    "l": (
        "vskip epsfxsize epsfysize parindent parskip baselineskip textwidth textheight oddsidemargin evensidemargin"
        " topmargin headheight headsep hsize vsize hoffset voffset magnification abovedisplayskip belowdisplayskip"
    ),
    "o": "pagebreak nopagebreak allowdisplaybreaks",
    "m": (
        "psfig epsfig plotone graphicspath DeclareGraphicsExtensions pagestyle thispagestyle pagenumbering hyphenation"
        " index bibliographystyle nocite date institute thanks pacs preprint theoremstyle includeonly orcid"
        " authorrunning titlerunning shorttitle shortauthors altaffilmark newcount newdimen newlength hypersetup"
        " captionsetup lstset tikzset pgfplotsset usetikzlibrary received revised accepted enlargethispage stepcounter"
        " refstepcounter corref fnref tnoteref emailAdd arxivnumber setcopyright copyrightyear acmYear acmDOI acmISBN"
        " acmPrice acmBooktitle acmJournal acmSubmissionID icmltitlerunning icmlkeywords printAffiliationsAndNotice"
    ),
    "mm": (
        "plottwo setcounter addtocounter setlength addtolength settowidth markboth altaffiltext newcolumntype"
        " icmlauthor icmlaffiliation icmlcorrespondingauthor"
    ),
    "mmm": "definecolor addcontentsline DeclarePairedDelimiter",
    "mo": "newcounter",
    "om": (
        "author affiliation affil address email altaffiliation epsfbox epsffile includesvg RequirePackage"
        " documentclass documentstyle subjclass ccsdesc curraddr urladdr dedicatory color marginpar tikz"
        " correspondingauthor ead cortext fntext tnotetext includepdf todo"
    ),
    "omm": "numberwithin",
    "sm": "vspace",
    "smomo": "newtheorem",
    "som": "includegraphics",
    "smoomm": "newenvironment renewenvironment provideenvironment",
}

DROPPED = {name: form for form, names in _FORMS.items() for name in names.split()}
"""Commands that go with their arguments: layout, front matter, graphics; the form as ``arguments`` reads it."""

BUILT_IN = {
    "textcolor": Macro((2,), count=3, default=""),
    "resizebox": Macro((2,), count=3),
    "scalebox": Macro((1,), count=2),
    "rotatebox": Macro((2,), count=3, default=""),
    "IEEEPARstart": Macro((0, 1), count=2),
    "lettrine": Macro((1, 2), count=3, default=""),
}
"""Commands of which only some arguments are text."""

DROPPED_ENVIRONMENTS = ("tikzpicture", "picture", "pspicture", "pgfpicture", "CCSXML", "IEEEbiography")
"""Environments that go with what is in them: drawings, codes of subjects, lives of authors."""

LAST = ("appendix", "bibliography", "printbibliography", "listrefs", "Refs", "bye", "enddocument")
LAST_ENVIRONMENTS = ("thebibliography", "references", "REFERENCES", "appendix", "appendices")
r"""Where the text ends. RedPajama-v1's rule: at the first of ``\appendix``, ``\bibliography{…}`` and
``\begin{thebibliography}``, ``{references}``, ``{REFERENCES}``; here also at the same things by other names."""

_STRUCTURE = (
    "part chapter section subsection subsubsection paragraph subparagraph item caption label ref eqref cite citep citet"
    " footnote emph textbf textit texttt text frac left right par input include"
)
STRUCTURE = frozenset(_STRUCTURE.split())
"""Commands that keep their own meaning in the text even if the paper defines them anew, as its style files may."""

_WITH_ARGUMENT = (
    "frac dfrac tfrac binom sqrt hat widehat bar overline underline tilde widetilde vec dot ddot check breve acute"
    " grave mathbf mathcal mathbb mathrm mathit mathsf mathfrak mathscr boldsymbol bm pmb text textbf textit emph"
    " textrm textsf texttt mbox overset underset stackrel operatorname overbrace underbrace not"
)
WITH_ARGUMENT = frozenset(_WITH_ARGUMENT.split())
"""After these, an expanded macro is put in braces: ``\\hat\\x`` means ``\\hat{…}``, whatever ``\\x`` holds."""
