"""Drives LibreOffice over UNO; run by an interpreter that has `uno`, not imported by sheetgpt.

Usage: server.py SOFFICE PROFILE [DISPLAY], where PROFILE is an empty folder for a private profile.
With a DISPLAY, such as :99, there is a window on it; else nothing is seen.
Reads one JSON command a line and answers each with one line of JSON:

    {"open": PATH}            load a workbook
    {"set": {NAME: VALUE}}    put text or a number into the first cell of a defined name
    {"press F9": true}        calculate what LibreOffice believes to have changed
    {"calculate": true}       calculate every formula, whatever was stored (Ctrl+Shift+F9)
    {"read": [NAME, ...]}     the values of defined names, row by row
    {"errors": true}          the addresses of all formulas that show an error
    {"picture": {...}}        print a part of a sheet to a PDF; see `picture`
    {"close": true}           close the workbook

Answers are {"ok": ...} or {"error": text}.  Needs nothing but the standard library and UNO.
"""

import json
import os
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

FORMULA_ERROR = 4  # com.sun.star.sheet.FormulaResult.ERROR
PATIENCE = 120  # seconds that LibreOffice may take to start
MARGIN = 300  # around a picture, in hundredths of a millimetre


def start(soffice, profile, display):
    """LibreOffice's process and its desktop, over a pipe of our own."""
    pipe = "sheetgpt%d" % os.getpid()
    process = subprocess.Popen(
        [
            soffice,
            "-env:UserInstallation=" + uno.systemPathToFileUrl(profile),
            "--nofirststartwizard" if display else "--headless",
            "--norestore",
            "--nolockcheck",
            "--nologo",
            "--accept=pipe,name=%s;urp;" % pipe,
        ],
        env=dict(os.environ, DISPLAY=display) if display else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", context
    )
    until = time.monotonic() + PATIENCE
    while True:
        try:
            there = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
            break
        except NoConnectException:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("LibreOffice did not start") from None
            time.sleep(0.1)
    manager = there.ServiceManager
    return process, manager.createInstanceWithContext("com.sun.star.frame.Desktop", there)


def load(desktop, path, display):
    hidden = PropertyValue()
    hidden.Name, hidden.Value = "Hidden", not display
    document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(path), "_blank", 0, (hidden,))
    if document is None or not hasattr(document, "Sheets"):
        raise RuntimeError("LibreOffice does not read it as a spreadsheet")
    return document


def cells(document, name):
    return document.NamedRanges.getByName(name).getReferredCells()


def picture(document, tab, area, rows, columns, to):
    """One area of a sheet as a PDF of one page, which is as large as the area on the screen.

    rows, columns: areas whose rows, and whose columns, are left out.
    """
    for other in document.Sheets:
        other.setPrintAreas(())
    sheet = document.Sheets.getByName(tab)
    sheet.unprotect("")
    whole = sheet.getCellRangeByName(area)
    whole.Rows.IsVisible = whole.Columns.IsVisible = True
    for each in rows:
        sheet.getCellRangeByName(each).Rows.IsVisible = False
    for each in columns:
        sheet.getCellRangeByName(each).Columns.IsVisible = False
    sheet.setPrintAreas((whole.getRangeAddress(),))
    page = document.StyleFamilies.getByName("PageStyles").getByName(sheet.PageStyle)
    page.HeaderIsOn = page.FooterIsOn = page.PrintGrid = page.PrintHeaders = False
    for side in ("LeftMargin", "RightMargin", "TopMargin", "BottomMargin"):
        setattr(page, side, MARGIN)
    page.Width = whole.Size.Width + 2 * MARGIN + 100
    page.Height = whole.Size.Height + 2 * MARGIN + 100
    page.ScaleToPagesX = page.ScaleToPagesY = 1
    form = PropertyValue()
    form.Name, form.Value = "FilterName", "calc_pdf_Export"
    document.storeToURL(uno.systemPathToFileUrl(to), (form,))


def answer(desktop, document, command, display):
    """Carry out one command; returns the document that is open then, and the answer."""
    ((verb, what),) = command.items()
    if verb == "open":
        return load(desktop, what, display), True
    if verb == "set":
        for name, value in what.items():
            whole = cells(document, name)
            cell = whole.getCellByPosition(0, 0)
            if isinstance(value, list):
                whole.setDataArray(tuple(map(tuple, value)))
            elif isinstance(value, str):
                cell.setString(value)
            else:
                cell.setValue(value)
        return document, True
    if verb == "press F9":
        document.calculate()
        return document, True
    if verb == "calculate":
        document.calculateAll()
        return document, True
    if verb == "read":
        return document, {name: cells(document, name).getDataArray() for name in what}
    if verb == "errors":
        found = []
        for sheet in document.Sheets:
            ranges = sheet.queryFormulaCells(FORMULA_ERROR)
            found += filter(None, ranges.getRangeAddressesAsString().split(";"))
        return document, found
    if verb == "picture":
        picture(document, **what)
        return document, True
    if verb == "close":
        document.close(True)
        return None, True
    raise RuntimeError("unknown command " + verb)


def main():
    soffice, profile, *rest = sys.argv[1:]
    display = rest[0] if rest else ""
    process, desktop = start(soffice, profile, display)
    document = None
    try:
        for line in sys.stdin:
            try:
                document, result = answer(desktop, document, json.loads(line), display)
                reply = {"ok": result}
            except Exception as error:  # whatever UNO raises is the answer; the caller decides
                reply = {"error": "%s: %s" % (type(error).__name__, error)}
            print(json.dumps(reply), flush=True)
    finally:
        try:
            if document is not None:
                document.close(True)
            desktop.terminate()
        except Exception:
            pass  # it has gone already
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


main()
