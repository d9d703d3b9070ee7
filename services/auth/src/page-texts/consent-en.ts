export const consent = {
  consentTitle: 'Allow this application?',
  consentMeans:
    'An application that your organization has not set up asks for access in your name. It is known by the address of its maker:',
  consentCallsItself: 'It calls itself',
  consentUnknown: 'Nobody here has checked what it is. Allow it only if you trust whoever is behind that address.',
  consentAt: 'At {api} it wants to:',
  consentOfYou: 'It wants to know of you:',
  consentOpenid: 'that you are you, by an identifier of your account',
  consentProfile: 'your name and language',
  consentEmail: 'your e-mail address',
  consentOffline: 'all of this as long as you are signed in, also while you do not use it',
  consentGoesTo: 'If you allow it, you go on to',
  consentLoopback:
    'If you allow it, access goes to a program on your own computer ({host}). Allow it only if you have just started that program yourself.',
  consentAs: 'You are signed in as {person}, at {organization}.',
  consentAllow: 'Allow',
  consentRefuse: 'Do not allow',
  consentUndo: 'You can withdraw it at any time on your account page.',
  consentChanged: 'What the application asks for has changed in the meantime. Read it once more.',
  allowedTitle: 'Applications that you have allowed',
  allowedMeans: 'Nobody here has set them up. Withdraw what you do not use: its access ends at once.',
  allowedWithdraw: 'Withdraw',
};

export type ConsentTexts = typeof consent;
