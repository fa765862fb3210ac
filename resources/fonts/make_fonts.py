#!/usr/bin/env python3
"""Makes the window's typeface from Inter: the scripts it needs, tabular figures as the normal ones, three weights.

Qt 6.4 can neither switch OpenType features on nor tell Inter's static files from its variable one when both are installed
(it then draws 400 as 300 and makes 700 twice as bold), so the window brings its own family under its own name.

    make_fonts.py /usr/share/fonts/opentype/inter .        (needs fonttools and the Debian package fonts-inter)
"""
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Lodestone Sans"
# The third face is Inter Semi Bold. It is named Bold so that no program makes it bolder still.
FACES = [("Inter-Regular.otf", "Regular", 400), ("Inter-Medium.otf", "Medium", 500), ("Inter-SemiBold.otf", "Bold", 700)]
RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x1E00, 0x1EFF),
    (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2150, 0x218F), (0x2190, 0x21FF),
    (0x2200, 0x22FF), (0x2300, 0x23FF), (0x25A0, 0x25FF), (0x2600, 0x26FF),
]


def tabular(font):
    """Glyph name -> glyph name of the feature tnum."""
    gsub = font["GSUB"].table
    lookups = {i for f in gsub.FeatureList.FeatureRecord if f.FeatureTag == "tnum" for i in f.Feature.LookupListIndex}
    mapping = {}
    for index in lookups:
        for table in gsub.LookupList.Lookup[index].SubTable:
            table = getattr(table, "ExtSubTable", table)
            mapping.update(getattr(table, "mapping", {}))
    return mapping


def make(source, style, weight, target):
    font = TTFont(source)
    swap = tabular(font)
    # Figures and the signs beside them take one width; punctuation and spaces keep theirs.
    wanted = {ord(c) for c in "0123456789+−"} | {0x2212}
    for table in font["cmap"].tables:
        for code, name in list(table.cmap.items()):
            if code in wanted and name in swap:
                table.cmap[code] = swap[name]
    options = subset.Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl", "calt"]
    options.name_IDs = ["*"]
    options.hinting = True
    options.notdef_outline = True
    options.recommended_glyphs = True
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[c for low, high in RANGES for c in range(low, high + 1)])
    cutter.subset(font)
    names = font["name"]
    keep = {0, 13, 14}
    names.names = [n for n in names.names if n.nameID in keep]
    full = f"{FAMILY} {style}"
    for name_id, text in [(1, FAMILY), (2, style), (3, full), (4, full), (6, full.replace(" ", "")), (16, FAMILY), (17, style)]:
        names.setName(text, name_id, 3, 1, 0x409)
    os2 = font["OS/2"]
    os2.usWeightClass = weight
    bold = weight == 700
    os2.fsSelection = (os2.fsSelection & ~0x61) | (0x20 if bold else 0x40)
    font["head"].macStyle = 1 if bold else 0
    cff = font["CFF "].cff
    cff.fontNames[0] = full.replace(" ", "")
    top = cff.topDictIndex[0]
    top.FullName, top.FamilyName, top.Weight = full, FAMILY, style
    # The same input gives the same file.
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    font.save(target)


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for file, style, weight in FACES:
        make(source / file, style, weight, target / f"LodestoneSans-{style}.otf")
