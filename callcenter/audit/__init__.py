"""The auditor: a journal recounted from its raw entries by code that shares nothing with what wrote them."""
