// Tenancy: whose spans a request brings, where several parties share one gateway.
//
// Owns: what a tenant's name may be, which tenants are known and how many, how much each may send, and the masks that keep
// equal trace IDs of two tenants apart. A name comes in from Intake, a `Tenant` goes with the request.
// Never: header fields and answers (Intake), batches and queues (Delivery), traces (Stitching). Without a `tenants`
// section nothing here is made.
