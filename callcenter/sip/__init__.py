"""The SIP front end: messages, transactions, dialogs, registrar, transports and the user agent on top."""
