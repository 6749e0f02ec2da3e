using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Requests;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd.Transport;

/// <summary>What all connections of a server share.</summary>
/// <param name="Exports">The exports.</param>
/// <param name="Options">Limits and rules.</param>
/// <param name="Budget">Bounds the memory of all requests.</param>
/// <param name="Readiness">Waits for clients in their handshake.</param>
/// <param name="Counters">What was served.</param>
/// <param name="Gate">Keeps the log from being flooded.</param>
/// <param name="Logger">Receives what happens.</param>
internal sealed record ServerParts(
    ExportDirectory Exports,
    NbdServerOptions Options,
    MemoryBudget Budget,
    Readiness Readiness,
    NbdCounters Counters,
    LogGate Gate,
    ILogger Logger);
