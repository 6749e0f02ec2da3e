namespace Benji.Mount.Kernel.Wire;

/// <summary>Says that a request from the device is not of the protocol: too short, or a name without an end.</summary>
internal sealed class FuseProtocolException(string message) : Exception(message);
