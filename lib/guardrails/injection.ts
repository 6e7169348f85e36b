import { matches } from './finding.ts';
import type { Finding } from './finding.ts';

export interface InjectionRule {
  readonly id: string;
  /** What an attacker wants with it. */
  readonly about: string;
  /** `question`: what a person asks; `data`: what a tool returns, where nothing may give orders. */
  readonly where: readonly ('question' | 'data')[];
  readonly pattern: RegExp;
}

const BOTH = ['question', 'data'] as const;
const DATA = ['data'] as const;

/**
 * Phrases of known attacks. They catch what is copied and pasted, not who tries for long: what an agent may do does not
 * depend on them, but on the policy and on a person.
 */
export const INJECTION_RULES: readonly InjectionRule[] = [
  {
    id: 'injection.override',
    about: 'tells the model to set its instructions aside',
    where: BOTH,
    pattern:
      /\b(?:ignore|disregard|forget|override|bypass|neglect|dismiss)\b[^.\n]{0,40}\b(?:all|any|everything|previous|prior|above|earlier|preceding|your|these|those|the|my)\b[^.\n]{0,40}\b(?:instructions?|rules?|prompts?|directions?|guidelines?|constraints?|polic(?:y|ies)|restrictions?|commands?|said|told)\b/gi,
  },
  {
    id: 'injection.new-orders',
    about: 'announces other instructions',
    where: BOTH,
    pattern:
      /\b(?:new|updated|real|actual|following|additional)\s+(?:system\s+)?(?:instructions?|orders?|objectives?|rules)\s*(?:[:=]|are\b|follow\b)/gi,
  },
  {
    id: 'injection.persona',
    about: 'gives the model another role, without limits',
    where: BOTH,
    pattern:
      /\b(?:you\s+are\s+now|you(?:'re| are)\s+going\s+to\s+(?:act|pretend)|act\s+as|pretend\s+(?:to\s+be|you\s+are|that\s+you)|role-?play\s+as|respond\s+as|simulate)\b[^\n]{0,120}\b(?:unrestricted|unfiltered|uncensored|jailbroken|evil|amoral|admin(?:istrator)?|root|no\s+(?:rules|restrictions|limits|filters?)|without\s+(?:any\s+)?(?:rules|restrictions|limits|filters?)|DAN)\b/gi,
  },
  {
    id: 'injection.jailbreak',
    about: 'names a known jailbreak',
    where: BOTH,
    pattern: /\b(?:do\s+anything\s+now|DAN\s+mode|developer\s+mode|god\s+mode|jailbreak(?:ed|ing)?)\b/gi,
  },
  {
    id: 'injection.prompt-leak',
    about: 'asks for the instructions themselves',
    where: BOTH,
    pattern:
      /\b(?:reveal|show|print|repeat|display|output|leak|recite|tell\s+me|give\s+me|what\s+(?:is|are|was|were)|share|expose)\b[^.\n]{0,40}\b(?:system|initial|hidden|original|secret|internal|pre-?)\s*(?:prompts?|instructions?|messages?|configuration)\b/gi,
  },
  {
    id: 'injection.credentials',
    about: 'asks for credentials',
    where: BOTH,
    pattern:
      /\b(?:reveal|show|print|give|send|tell|leak|dump|output|share|list|display)\b[^.\n]{0,40}\b(?:passwords?|api[ _-]?keys?|secret\s+keys?|access\s+tokens?|credentials?|private\s+keys?|environment\s+variables?)\b/gi,
  },
  {
    id: 'injection.chat-markup',
    about: 'writes the marks that separate the turns of a chat',
    where: BOTH,
    pattern: /<\|[a-z_]{2,24}\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:system|assistant|tool_response|function_calls?)>/gi,
  },
  {
    id: 'injection.turn',
    about: 'pretends to be another turn of the chat',
    where: DATA,
    pattern: /(?:^|\n)\s*#{0,4}\s*(?:system|assistant|developer|user|human)\s*:/gi,
  },
  {
    id: 'injection.order',
    about: 'orders a tool call',
    where: DATA,
    pattern:
      /\b(?:call|invoke|use|run|execute|trigger)\b[^.\n]{0,40}\b(?:tools?|functions?|commands?|[a-z]+_[a-z_]+)\b|\b(?:roll\s*back|delete|drop|promote|deploy|approve)\b[^.\n]{0,40}\b(?:now|immediately|at\s+once|right\s+away)\b/gi,
  },
  {
    id: 'injection.secrecy',
    about: 'wants something kept from people',
    where: DATA,
    pattern:
      /\b(?:do\s+not|don't|never|without)\s+(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|notify(?:ing)?|alert(?:ing)?|asking)\b[^.\n]{0,40}/gi,
  },
  {
    id: 'injection.approval-claim',
    about: 'claims that somebody approved',
    where: DATA,
    pattern:
      /\b(?:already|pre-?)\s*(?:approved|authori[sz]ed)\b|\bapproval\b[^.\n]{0,20}\b(?:not\s+(?:needed|required)|granted|waived)\b/gi,
  },
  {
    id: 'injection.exfiltration',
    about: 'wants something sent somewhere',
    where: BOTH,
    pattern: /\b(?:send|post|upload|forward|exfiltrate|transmit|fetch|visit)\b[^\n]{0,80}\bhttps?:\/\//gi,
  },
];

/** Base64 long enough to hold a sentence. */
const ENCODED = /\b[A-Za-z0-9+/]{24,2048}={0,2}/g;

/** Injections in a normalised text, also one base64 deep. */
export function findInjections(text: string, where: 'question' | 'data'): Finding[] {
  const rules = INJECTION_RULES.filter((rule) => rule.where.includes(where));
  const plain = rules.flatMap(({ id, pattern }) => matches(id, pattern, text));
  const encoded = matches('injection.encoded', ENCODED, text).filter(({ start, end }) => {
    const decoded = Buffer.from(text.slice(start, end), 'base64').toString('latin1');
    const readable = /^[\t\n\r\x20-\x7e]+$/.test(decoded);
    return readable && rules.some(({ pattern }) => new RegExp(pattern).test(decoded));
  });
  return [...plain, ...encoded];
}
