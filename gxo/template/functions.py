"""The table of all functions that a template may call, with the doc that the reference shows."""

from collections.abc import Callable, Mapping

from gxo.template import encode, lists, logic, numbers, texts
from gxo.template.data import to_json, to_text
from gxo.template.function import Function, FunctionTable, by_name, make
from gxo.template.limits import Limits
from gxo.template.value import Data


def _regex_match(limits: Limits, pattern: str, text: str) -> bool:
    from gxo.template import regex  # late: few templates need it, and it takes milliseconds

    return regex.matches(limits, pattern, text)


def _regex_replace(limits: Limits, pattern: str, replacement: str, text: str) -> str:
    from gxo.template import regex

    return regex.replace(limits, pattern, replacement, text)


def _date(layout: str, time: Data) -> str:
    from gxo.template import times

    return times.date(layout, time)


def _duration(value: Data) -> Data:
    from gxo.template import times

    return times.duration(value)


_ROWS: tuple[Function, ...] = (
    make("default fallback:any value:any", logic.default,
         "VALUE, or FALLBACK where VALUE is empty (false, 0, nil, or text, list or map of nothing)",
         ('{{ "" | default "none" }}', "none"), lenient=True),
    make("coalesce values:any+", logic.coalesce,
         "the first of VALUES that is not empty, or nil",
         ('{{ coalesce nil "" "c" }}', "c"), lenient=True),
    make("ternary yes:any no:any condition:any", logic.ternary,
         "YES where CONDITION is true, else NO",
         ('{{ gt 2 1 | ternary "more" "less" }}', "more")),
    make("empty value:any", logic.empty,
         "whether VALUE is empty", ('{{ empty "" }}', "true"), lenient=True),
    make("get map:map key:text fallback:any?", lists.get,
         "the entry of MAP under KEY; FALLBACK, or nil, where there is none",
         ('{{ get (dict "a" 1) "b" 2 }}', "2")),
    make("dict pairs:any*", lists.make_dict,
         "a map of keys and values in turn", ('{{ dict "a" 1 "b" 2 }}', '{"a": 1, "b": 2}')),
    make("list items:any*", lists.make_list,
         "a list of ITEMS", ('{{ list 1 "b" }}', '[1, "b"]')),
    make("index box:any keys:any+", lists.index,
         "the entry of a map or the item of a list, through several KEYS one after the other",
         ('{{ index (list "a" "b") 1 }}', "b")),
    make("len box:sized", lists.length,
         "how many characters, items or entries", ('{{ len "gxo" }}', "3")),
    make("first items:list", lists.first,
         "the first item, or nil of an empty list", ("{{ first (list 1 2) }}", "1")),
    make("last items:list", lists.last,
         "the last item, or nil of an empty list", ("{{ last (list 1 2) }}", "2")),
    make("rest items:list", lists.rest,
         "all items but the first", ("{{ rest (list 1 2 3) }}", "[2, 3]")),
    make("slice row:row start:integer end:integer?", lists.cut,
         "the characters or items from START up to, but not including, END",
         ('{{ slice "systemd" 0 6 }}', "system")),
    make("has item:any box:box", lists.has,
         "whether a list holds ITEM, or a map the key ITEM",
         ("{{ list 1 2 | has 2 }}", "true"), limited=True),
    make("keys map:map", lists.keys,
         "the keys, in order", ('{{ dict "b" 1 "a" 2 | keys }}', '["a", "b"]')),
    make("values map:map", lists.values,
         "the values, in the order of their keys", ('{{ dict "b" 1 "a" 2 | values }}', "[2, 1]")),
    make("merge maps:map+", lists.merge,
         "one map of all entries, maps within them too; the earlier of two entries counts",
         ('{{ merge (dict "a" 1) (dict "a" 2 "b" 3) }}', '{"a": 1, "b": 3}'), limited=True),
    make("trim text:text", str.strip,
         "TEXT without white space at its ends", ('{{ trim "  a " }}', "a")),
    make("upper text:text", str.upper, "TEXT in upper case", ('{{ upper "gxo" }}', "GXO")),
    make("lower text:text", str.lower, "TEXT in lower case", ('{{ lower "GXO" }}', "gxo")),
    make("title text:text", texts.title,
         "TEXT, each word with a capital", ('{{ title "to be" }}', "To Be")),
    make("replace old:text new:text text:text", lambda old, new, text: text.replace(old, new),
         "TEXT, each OLD in it replaced by NEW",
         ('{{ "a-b-c" | replace "-" "." }}', "a.b.c"), grows=texts.replaced_size),
    make("split separator:text text:text", texts.split,
         "the pieces of TEXT between SEPARATORs, as a list",
         ('{{ split "," "a,b" }}', '["a", "b"]')),
    make("join separator:text items:list", texts.join,
         "the ITEMS as text, SEPARATOR between them",
         ('{{ list 1 2 | join "-" }}', "1-2"), limited=True),
    make("contains part:text text:text", lambda part, text: part in text,
         "whether TEXT contains PART", ('{{ "gxo" | contains "x" }}', "true")),
    make("hasPrefix prefix:text text:text", lambda prefix, text: text.startswith(prefix),
         "whether TEXT starts with PREFIX", ('{{ "gxo" | hasPrefix "g" }}', "true")),
    make("hasSuffix suffix:text text:text", lambda suffix, text: text.endswith(suffix),
         "whether TEXT ends with SUFFIX", ('{{ "gxo" | hasSuffix "o" }}', "true")),
    make("printf format:text values:any*", texts.printf,
         "FORMAT with VALUES in place of its verbs, which are Go's: %v %s %q %d %f %g %e %x %o"
         " %b %c %t %%",
         ('{{ printf "%s-%03d %.1f" "a" 7 2.25 }}', "a-007 2.2"), limited=True),
    make("print values:any*", texts.concat,
         "VALUES one after the other, with a space between two that are both not text",
         ('{{ print "a" 1 2 "b" }}', "a1 2b"), limited=True),
    make("quote value:any", texts.quote,
         'VALUE in "…", escaped as in JSON (which YAML reads too)',
         ("""{{ quote 'a "b"' }}""", '"a \\"b\\""'), limited=True),
    make("squote value:any", texts.squote,
         "VALUE in '…', as one word for a shell whatever it holds",
         ("""{{ squote "it's" }}""", "'it'\\''s'"), limited=True),
    make("indent spaces:integer text:text", texts.indent,
         "TEXT with SPACES before each of its lines",
         ('{{ "a" | indent 2 }}', "  a"), grows=texts.indented_size),
    make("nindent spaces:integer text:text", texts.nindent,
         "like `indent`, after a line break",
         ('a:{{ "b" | nindent 2 }}', "a:\n  b"), grows=texts.indented_size),
    make("int value:any", numbers.to_int,
         "VALUE (number, text or boolean) as a whole number, truncated towards zero",
         ('{{ int "42" }}', "42")),
    make("float value:any", numbers.to_float,
         "VALUE (number or text) as a number with a fraction", ('{{ float "1.5" }}', "1.5")),
    make("bool value:any", numbers.to_bool,
         "VALUE (boolean, or the text `true` or `false`) as a boolean",
         ('{{ bool "true" }}', "true")),
    make("toString value:any", lambda limits, value: to_text(value, limits),
         "VALUE as it prints: lists and maps are JSON",
         ("{{ toString 5 | len }}", "1"), limited=True),
    make("add numbers:number+", numbers.add, "the sum", ("{{ add 1 2 3 }}", "6")),
    make("sub left:number right:number", numbers.sub,
         "LEFT minus RIGHT", ("{{ sub 5 3 }}", "2")),
    make("mul numbers:number+", numbers.mul, "the product", ("{{ mul 2 3 }}", "6")),
    make("div left:number right:number", numbers.div,
         "LEFT divided by RIGHT; two whole numbers give a whole one, truncated towards zero",
         ("{{ div 7 2 }} {{ div 7.0 2 }}", "3 3.5")),
    make("mod left:number right:number", numbers.mod,
         "what remains of LEFT divided by RIGHT, with the sign of LEFT", ("{{ mod 7 3 }}", "1")),
    make("min numbers:number+", numbers.least, "the smallest", ("{{ min 2 1 3 }}", "1")),
    make("max numbers:number+", numbers.most, "the largest", ("{{ max 2 1 3 }}", "3")),
    make("round number:number digits:integer?", numbers.rounded,
         "NUMBER with DIGITS after the point, or as a whole number; half goes away from zero",
         ("{{ round 2.5 }} {{ round 3.14159 2 }}", "3 3.14")),
    make("toJson value:any", lambda limits, value: to_json(value, limits),
         "VALUE as JSON on one line, keys in order",
         ('{{ dict "b" nil "a" true | toJson }}', '{"a": true, "b": null}'), limited=True),
    make("fromJson text:text", encode.from_json,
         "the data that a JSON text holds",
         ("""{{ fromJson '{"a": [1, 2]}' | toYaml }}""", "a:\n- 1\n- 2"), limited=True),
    make("toYaml value:any", encode.to_yaml,
         "VALUE as YAML in block style, keys in order, without a last line break",
         ('{{ dict "a" "yes" | toYaml }}', "a: 'yes'"), limited=True),
    make("fromYaml text:text", encode.from_yaml,
         "the data that a YAML text holds: plain data, one document, no tags; `no`, `on`, `010` are"
         " text",
         ('{{ fromYaml "a: [1, no]" }}', '{"a": [1, "no"]}'), limited=True),
    make("b64enc text:text", encode.b64enc, "TEXT in base64", ('{{ b64enc "gxo" }}', "Z3hv")),
    make("b64dec text:text", encode.b64dec,
         "the text that a base64 text holds", ('{{ b64dec "Z3hv" }}', "gxo")),
    make("sha256 text:text", encode.sha256,
         "the SHA-256 digest of TEXT, in hexadecimal",
         ('{{ slice (sha256 "gxo") 0 8 }}', "24bac1b5")),
    make("urlquote text:text", encode.urlquote,
         "TEXT percent-encoded for any part of a URL", ('{{ urlquote "a b/c" }}', "a%20b%2Fc")),
    make("regexMatch pattern:text text:text", _regex_match,
         "whether the regular expression PATTERN is found in TEXT",
         ("{{ regexMatch `^v[0-9]+$` `v12` }}", "true"), limited=True),
    make("regexReplace pattern:text replacement:text text:text", _regex_replace,
         "TEXT, each match of PATTERN replaced; `$1` and `${name}` in REPLACEMENT stand for groups",
         ("{{ `a1b2` | regexReplace `([a-z])([0-9])` `$2$1` }}", "1a2b"), limited=True),
    make("date layout:text time:any", _date,
         "TIME (as `now` gives it, or seconds since 1970) in LAYOUT, which writes the time"
         " 2006-01-02 15:04:05 UTC in the form you want",
         ('{{ date "02 Jan 2006" "2024-05-06T07:08:09Z" }}', "06 May 2024")),
    make("duration value:any", _duration,
         "a number of seconds as a duration; a duration as its seconds",
         ('{{ duration 5400 }} {{ duration "1h30m" }}', "1h30m0s 5400")),
    make("eq left:any others:any+", logic.eq,
         "whether LEFT equals any of OTHERS (`==`)", ("{{ eq 1 1 }}", "true"), limited=True),
    make("ne left:any right:any", logic.ne,
         "whether they differ (`!=`)", ("{{ ne 1 1 }}", "false"), limited=True),
    make("lt left:any right:any", logic.lt,
         "whether LEFT is less, of two numbers or two texts (`<`)", ("{{ lt 1 2 }}", "true")),
    make("le left:any right:any", logic.le,
         "whether LEFT is less or equal (`<=`)", ("{{ le 2 2 }}", "true")),
    make("gt left:any right:any", logic.gt,
         "whether LEFT is more (`>`)", ("{{ gt 1 2 }}", "false")),
    make("ge left:any right:any", logic.ge,
         "whether LEFT is more or equal (`>=`)", ("{{ ge 2 2 }}", "true")),
    make("and values:any+", logic.conjunction,
         "the first of VALUES that is empty, else the last (`&&`); what follows is not evaluated",
         ('{{ and true "b" }}', "b")),
    make("or values:any+", logic.disjunction,
         "the first of VALUES that is not empty, else the last (`||`); what follows is not"
         " evaluated",
         ('{{ or "" "b" }}', "b")),
    make("not value:any", logic.negate,
         "whether VALUE is empty (`!`)", ("{{ not true }}", "false")),
    make("now", None,
         "the time, as `2006-01-02T15:04:05Z`", ("{{ now }}", "")),
    make("env name:text", None,
         "the environment variable NAME", ('{{ env "HOME" }}', "")),
    make("secret name:text", None,
         "the secret NAME, from the providers in the order configured",
         ('{{ secret "token" }}', "")),
    make("uuid", None,
         "a fresh random UUID", ("{{ uuid }}", "")),
)  # fmt: skip

FUNCTIONS: Mapping[str, Function] = by_name(_ROWS)
"""All of them by name, in the order of the reference."""

COMPILE_FUNCTIONS = FunctionTable(FUNCTIONS)
"""For what is evaluated at compile time: a call of `now`, `env`, `secret` or `uuid` is an error."""


def run_functions(
    *,
    secret: Callable[[str], str],
    env: Callable[[str], str],
    now: Callable[[], str],
    uuid: Callable[[], str],
) -> FunctionTable:
    """For what is evaluated in a run. Each effect may raise Failure; `secret` sees every use."""
    effects: dict[str, Callable[..., Data]] = {
        "secret": secret,
        "env": env,
        "now": now,
        "uuid": uuid,
    }
    return FunctionTable(FUNCTIONS, effects)
