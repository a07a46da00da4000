"""Prints where LibreOffice has the cursor in each workbook; run by an interpreter that has `uno`.

Usage: cursor.py SOFFICE PROFILE PATH ...
"""

import subprocess
import sys
import time

import uno
from com.sun.star.connection import NoConnectException

soffice, profile, *paths = sys.argv[1:]
pipe = "pipe,name=cursor" + str(time.time_ns())
process = subprocess.Popen(
    [
        soffice,
        "-env:UserInstallation=" + uno.systemPathToFileUrl(profile),
        *("--headless", "--norestore", "--nologo", f"--accept={pipe};urp;"),
    ],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
here = uno.getComponentContext()
resolver = here.ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
there = None
while there is None:
    try:
        there = resolver.resolve(f"uno:{pipe};urp;StarOffice.ComponentContext")
    except NoConnectException:
        time.sleep(0.1)
desktop = there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
for path in paths:
    document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(path), "_blank", 0, ())
    print(document.CurrentController.Selection.AbsoluteName)
    document.close(True)
desktop.terminate()
process.wait()
