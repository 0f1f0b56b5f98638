"""Whole fleets: key changes, credit, decoding and check values for millions of meters, as one use.

A job reads a table of meters, and writes a table of tokens and a side file of the rows that were
refused. Between the two it is cut into parts, and each part is made by whatever process has time:

    plan → make parts (``local``: processes here, ``cluster``: a Dask cluster) → find duplicates
         → make anew the parts that have some → put together → write the use down → rename

A part is made from its rows, the parameters of the job and the module's keys, and from nothing
else. So the result is the same to the byte in whatever order the parts are made, after a kill, and
on one machine or many.

=================  ==============================================================================
module             what it does
=================  ==============================================================================
``errors``         why a job is refused as a whole
``job``            what is asked for; the columns of each operation
``sources``        CSV, Parquet and SQLite files cut into parts and read, one part at a time
``cells``          columns of text turned into arrays
``rows``           which rows are refused, and with what code
``operations``     from the rows of one part to its tokens, by ``sts.batch``
``part``           one part from its source to a file and a record
``workspace``      plan, files and records of a job on the disk; what a resumed job finds again
``duplicates``     meters and tokens that stand in the input twice
``output``         the parts put together under the final name
``fleet``          the whole of a job
``local``          processes that inherit the opened module
``cluster``        Dask workers that open the module themselves
``generate``       made-up fleets
``verify``         a finished job checked against the scalar core, sharing nothing with the above
``verify_rows``    what the scalar core says to one row
``verify_tables``  the files of a finished job, a row at a time
=================  ==============================================================================

Nothing is imported from here by the rest of ``keys``: NumPy and PyArrow are needed (the extra
``batch``).
"""
