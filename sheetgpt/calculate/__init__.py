"""What gives the language of formulas Excel's meaning: values, functions, whole workbooks."""
