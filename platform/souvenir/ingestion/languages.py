"""Whether a text is English or French: by the small words that one of them has alone."""

import re

ENGLISH, FRENCH, UNKNOWN = "en", "fr", ""

# Words that say how a text hangs together and little of what it is about: not searched for.
_ENGLISH = """
    a about after again all also am an and any are as at be because been before being but by can
    could d did do does doing done down for from get gets getting got had has have having he her
    here hers him his how i if in into is it its just like ll m many me more most much my no not
    now of off on once only or other our ours out over own re s she should so some such t than
    that the their theirs them then there these they this those through to too under until up us
    ve very was we were what when where which while who whom whose why will with would you your
    yours aren couldn didn doesn don isn shouldn wasn won wouldn
"""
_FRENCH = """
    a ai aie aient ainsi alors après as au aucun aucune auquel aussi autre autres aux avaient
    avais avait avant avec avez aviez avoir avons ayant c car ce ceci cela celle celles celui
    ces cet cette ceux chaque chez ci combien comme comment d dans de depuis des deux dois doit
    doivent donc dont du dès elle elles en encore entre es est et eu eux faire fais fait font
    faut il ils j je jusque l la le les leur leurs lors lorsque lui là m ma mais me mes mien moi
    moins mon même n ne ni non nos notre nous nôtre on ont ou où par parce pas pendant peu peut
    peuvent peux plus pour pourquoi pouvez pouvons près puis puisque qu quand que quel quelle
    quelles quels qui quoi quoique s sa sans se sera serait ses si soi soient sois soit sommes
    son sont sous suis sur t ta tandis te tel telle telles tels tes toi ton tous tout toute
    toutes trop très tu un une va vais vas vers voici voilà vont vos votre vous vôtre y à ça
    étaient étais était étant été êtes être
"""
# Read as often in the one language as a word of another meaning in the other.
_BOTH = "am car chez done font like me on peu sera son ton va"
ENGLISH_SMALL_WORDS = frozenset(_ENGLISH.split())
# As they are typed without accents; not those that are words of another kind, such as "meme".
_FRENCH_BARE = "apres etaient etais etait etant ete etes etre pres tres voila"
FRENCH_SMALL_WORDS = frozenset([*_FRENCH.split(), *_FRENCH_BARE.split()])
_SAYS_NOTHING = frozenset(_BOTH.split()) | {word for word in _ENGLISH + _FRENCH if len(word) == 1}
_ENGLISH_SIGNS = ENGLISH_SMALL_WORDS - FRENCH_SMALL_WORDS - _SAYS_NOTHING
_FRENCH_SIGNS = FRENCH_SMALL_WORDS - ENGLISH_SMALL_WORDS - _SAYS_NOTHING
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)*")
_FRENCH_ELISION = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)['’](?=\w)")
_ENGLISH_ENDING = re.compile(r"(?:['’]s|n['’]t|['’](?:re|ll|ve|m|d))$")
_FRENCH_LETTERS = frozenset("éèêëàâçùûîïôœ")
_LOOKED_AT = 4_000  # characters: more of a text changes nothing


def language_of(text: str) -> str:
    """ENGLISH or FRENCH; UNKNOWN where nothing speaks for the one more than for the other."""
    english = french = 0.0
    for match in _WORD.finditer(text[:_LOOKED_AT]):
        word = match.group().casefold()
        if word in _ENGLISH_SIGNS:
            english += 1
        elif word in _FRENCH_SIGNS:
            french += 1
        elif not word.isalpha():
            english += bool(_ENGLISH_ENDING.search(word))
            french += bool(_FRENCH_ELISION.match(word))
        elif not (word.isascii() or _FRENCH_LETTERS.isdisjoint(word)):
            french += 0.5
    if english == french:
        return UNKNOWN
    return ENGLISH if english > french else FRENCH
