namespace Benji.Nbd.Protocol;

/// <summary>Says that the other end sent what the NBD protocol does not allow; the connection cannot go on.</summary>
/// <param name="message">Names the message, what was found and what was expected.</param>
/// <param name="inner">What lies under it, if anything.</param>
internal sealed class NbdProtocolException(string message, Exception? inner = null) : Exception(message, inner);
